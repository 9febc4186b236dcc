/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Still pictures, see image.h. The decoder is chosen by the bytes' magic, never by what a file says of itself later. */
#include "sessiond/media/image.h"

#include <stdlib.h>
#include <string.h>
#include <webp/decode.h>

/* GraphicsMagick's own names begin here. */
#include <magick/api.h>

#include "sessiond/media/webp.h"

enum { THUMBNAIL_SIDE = 100, THUMBNAIL_QUALITY = 60, SMALLEST_QUALITY = 10, PALETTE = 256 };

struct still {
	Image *image; /* owned */
};

static const char *const coders[] = {
	[SNIFF_OTHER] = NULL, [SNIFF_EMPTY] = NULL, [SNIFF_WEBP] = NULL, [SNIFF_JPEG] = "JPEG", [SNIFF_PNG] = "PNG", [SNIFF_GIF] = "GIF",
	[SNIFF_BMP] = "BMP", [SNIFF_TIFF] = "TIFF",
};

static int fail_with(struct work *w, int error, const ExceptionInfo *exception)
{
	return work_fail(w, exception->severity == ResourceLimitError || exception->severity == ResourceLimitFatalError ? MEDIAJOB_E_LIMIT : error, "%s",
		exception->reason ? exception->reason : "the image cannot be read");
}

static ImageInfo *reader_info(const struct work *w, int side)
{
	ImageInfo *info = CloneImageInfo(NULL);

	MagickStrlCpy(info->magick, coders[w->sniffed], sizeof info->magick);
	info->subimage = 0;
	info->subrange = 1;
	if (side > 0) {
		char size[32];

		/* JPEG: decoding at a fraction is enough. */
		snprintf(size, sizeof size, "%dx%d", side, side);
		CloneString(&info->size, size);
	}
	return info;
}

static int check_size(struct work *w, unsigned long width, unsigned long height)
{
	if (!width || !height)
		return work_fail(w, MEDIAJOB_E_INPUT, "the image has no size");
	if (width > LIMIT_MEDIA_SIDE || height > LIMIT_MEDIA_SIDE || width * height > (unsigned long)w->job->max_pixels)
		return work_fail(w, MEDIAJOB_E_LIMIT, "an image may have %d pixels a side and %lld in all, this one is %lu x %lu", LIMIT_MEDIA_SIDE,
			(long long)w->job->max_pixels, width, height);
	return 0;
}

/* ---- probing ---- */

static int probe_webp(struct work *w, struct span bytes)
{
	struct mediajob_info *info = &w->result->input;
	WebPBitstreamFeatures features;

	if (WebPGetFeatures(bytes.p, bytes.n, &features) != VP8_STATUS_OK)
		return work_fail(w, MEDIAJOB_E_INPUT, "no WebP that could be read");
	if (check_size(w, (unsigned long)features.width, (unsigned long)features.height))
		return w->result->error;
	info->width = features.width;
	info->height = features.height;
	info->alpha = features.has_alpha;
	info->animated = features.has_animation;
	return 0;
}

static int probe_other(struct work *w, struct span bytes)
{
	struct mediajob_info *info = &w->result->input;
	ImageInfo *reading = reader_info(w, 0);
	ExceptionInfo exception;
	bool lying = w->sniffed == SNIFF_JPEG && sniff_jpeg_lying(bytes);
	Image *image;
	int error = 0;

	GetExceptionInfo(&exception);
	image = PingBlob(reading, bytes.p, bytes.n, &exception);
	if (!image) {
		error = fail_with(w, MEDIAJOB_E_INPUT, &exception);
	} else {
		error = check_size(w, image->columns, image->rows);
		info->width = (int)(lying ? image->rows : image->columns);
		info->height = (int)(lying ? image->columns : image->rows);
		info->alpha = image->matte != 0;
		DestroyImageList(image);
	}
	DestroyExceptionInfo(&exception);
	DestroyImageInfo(reading);
	return error;
}

int image_probe(struct work *w)
{
	struct mediajob_info *info = &w->result->input;
	unsigned long width, height;
	struct span bytes;

	if (!coders[w->sniffed] && w->sniffed != SNIFF_WEBP)
		return work_fail(w, MEDIAJOB_E_UNSUPPORTED, "not an image of a known kind");
	info->kind = MEDIAJOB_IMAGE;
	info_set_mime(info, sniff_mime(w->sniffed));
	if (source_load(w, LIMIT_MEDIA_IMAGE_BYTES, &bytes))
		return w->result->error;
	if (w->sniffed == SNIFF_GIF)
		info->animated = sniff_gif_animated(bytes);
	if (w->sniffed == SNIFF_WEBP)
		return probe_webp(w, bytes);
	sniff_size(w->sniffed, bytes, &width, &height);
	if (width && height && check_size(w, width, height))
		return w->result->error;
	return probe_other(w, bytes);
}

/* ---- opening ---- */

struct still *still_of_rgba(const uint8_t *rgba, int width, int height)
{
	struct still *still = calloc(1, sizeof *still);
	ExceptionInfo exception;

	GetExceptionInfo(&exception);
	if (still)
		still->image = ConstituteImage((unsigned long)width, (unsigned long)height, "RGBA", CharPixel, rgba, &exception);
	DestroyExceptionInfo(&exception);
	if (still && !still->image) {
		free(still);
		return NULL;
	}
	return still;
}

static int open_webp(struct work *w, struct span bytes, struct still **out)
{
	uint8_t *rgba = NULL;
	int width, height;
	int error = webp_first_frame(w, bytes, &rgba, &width, &height);

	if (!error) {
		*out = still_of_rgba(rgba, width, height);
		if (!*out)
			error = work_fail(w, MEDIAJOB_E_LIMIT, "not enough memory");
	}
	free(rgba);
	return error;
}

/* Replaces the picture by a changed one. */
static int become(struct work *w, struct still *still, Image *image, const ExceptionInfo *exception)
{
	if (!image)
		return fail_with(w, MEDIAJOB_E_INPUT, exception);
	DestroyImageList(still->image);
	still->image = image;
	return 0;
}

static int normalise(struct work *w, struct still *still)
{
	ExceptionInfo exception;
	int error = 0;

	GetExceptionInfo(&exception);
	if (still->image->orientation > TopLeftOrientation)
		error = become(w, still, AutoOrientImage(still->image, still->image->orientation, &exception), &exception);
	if (!error) {
		still->image->orientation = UndefinedOrientation;
		StripImage(still->image);
		if (!IsRGBColorspace(still->image->colorspace))
			TransformColorspace(still->image, RGBColorspace);
		still->image->depth = 8;
	}
	DestroyExceptionInfo(&exception);
	return error;
}

static int open_other(struct work *w, struct span bytes, int side, struct still **out)
{
	ImageInfo *reading = reader_info(w, side);
	struct still *still = calloc(1, sizeof *still);
	ExceptionInfo exception;
	int error = 0;

	GetExceptionInfo(&exception);
	if (still)
		still->image = BlobToImage(reading, bytes.p, bytes.n, &exception);
	if (!still)
		error = work_fail(w, MEDIAJOB_E_LIMIT, "not enough memory");
	else if (!still->image || exception.severity >= ErrorException)
		error = fail_with(w, MEDIAJOB_E_INPUT, &exception);
	else
		error = normalise(w, still);
	if (error && still)
		still_close(still);
	else
		*out = still;
	DestroyExceptionInfo(&exception);
	DestroyImageInfo(reading);
	return error;
}

int still_open(struct work *w, int side, struct still **out)
{
	struct span bytes;

	*out = NULL;
	if (source_load(w, LIMIT_MEDIA_IMAGE_BYTES, &bytes))
		return w->result->error;
	if (w->sniffed == SNIFF_WEBP)
		return open_webp(w, bytes, out);
	if (!coders[w->sniffed])
		return work_fail(w, MEDIAJOB_E_UNSUPPORTED, "not an image of a known kind");
	return open_other(w, bytes, side, out);
}

void still_close(struct still *still)
{
	if (!still)
		return;
	if (still->image)
		DestroyImageList(still->image);
	free(still);
}

/* ---- looking at it ---- */

int still_width(const struct still *still)
{
	return (int)still->image->columns;
}

int still_height(const struct still *still)
{
	return (int)still->image->rows;
}

bool still_alpha(const struct still *still)
{
	ExceptionInfo exception;
	bool alpha;

	if (!still->image->matte)
		return false;
	GetExceptionInfo(&exception);
	alpha = !IsOpaqueImage(still->image, &exception);
	DestroyExceptionInfo(&exception);
	return alpha;
}

uint8_t *still_rgba(const struct still *still)
{
	uint8_t *rgba = calloc(still->image->columns * still->image->rows, 4);
	ExceptionInfo exception;

	GetExceptionInfo(&exception);
	if (rgba && !DispatchImage(still->image, 0, 0, still->image->columns, still->image->rows, "RGBA", CharPixel, rgba, &exception)) {
		free(rgba);
		rgba = NULL;
	}
	DestroyExceptionInfo(&exception);
	return rgba;
}

/* ---- changing it ---- */

/* The picture over a canvas of one colour. */
static int put_on_canvas(struct work *w, struct still *still, unsigned long width, unsigned long height, const PixelPacket *colour)
{
	ExceptionInfo exception;
	Image *canvas;
	int error;

	GetExceptionInfo(&exception);
	canvas = CloneImage(still->image, width, height, 1, &exception);
	if (canvas) {
		canvas->background_color = *colour;
		canvas->matte = 1;
		SetImage(canvas, colour->opacity);
		CompositeImage(canvas, OverCompositeOp, still->image, ((long)width - (long)still->image->columns) / 2, ((long)height - (long)still->image->rows) / 2);
		canvas->matte = colour->opacity != OpaqueOpacity;
	}
	error = become(w, still, canvas, &exception);
	DestroyExceptionInfo(&exception);
	return error;
}

int still_flatten(struct work *w, struct still *still)
{
	static const PixelPacket white = { .red = MaxRGB, .green = MaxRGB, .blue = MaxRGB, .opacity = OpaqueOpacity };

	return still->image->matte ? put_on_canvas(w, still, still->image->columns, still->image->rows, &white) : 0;
}

static int scale(struct work *w, struct still *still, double width, double height)
{
	unsigned long columns = width < 1 ? 1 : (unsigned long)(width + 0.5), rows = height < 1 ? 1 : (unsigned long)(height + 0.5);
	ExceptionInfo exception;
	int error;

	if (columns == still->image->columns && rows == still->image->rows)
		return 0;
	if (check_size(w, columns, rows))
		return w->result->error;
	GetExceptionInfo(&exception);
	error = become(w, still, ResizeImage(still->image, columns, rows, LanczosFilter, 1.0, &exception), &exception);
	DestroyExceptionInfo(&exception);
	return error;
}

static int crop_middle(struct work *w, struct still *still, unsigned long width, unsigned long height)
{
	unsigned long columns = still->image->columns, rows = still->image->rows;
	RectangleInfo area = { .width = width < columns ? width : columns, .height = height < rows ? height : rows };
	ExceptionInfo exception;
	int error;

	if (width >= columns && height >= rows)
		return 0;
	area.x = (long)(columns - area.width) / 2;
	area.y = (long)(rows - area.height) / 2;
	GetExceptionInfo(&exception);
	error = become(w, still, CropImage(still->image, &area, &exception), &exception);
	DestroyExceptionInfo(&exception);
	return error;
}

static double smaller(double a, double b)
{
	return a < b ? a : b;
}

int still_fit(struct work *w, struct still *still, const struct still_shape *shape)
{
	static const PixelPacket black = { .opacity = OpaqueOpacity }, nothing = { .opacity = TransparentOpacity };
	double columns = (double)still->image->columns, rows = (double)still->image->rows, most = shape->enlarge ? LIMIT_MEDIA_SIDE : 1;
	double by_width = smaller(shape->width / columns, most), by_height = smaller(shape->height / rows, most), factor = smaller(by_width, by_height);

	if (!shape->width && !shape->height)
		return 0;
	if (!shape->width || !shape->height) {
		factor = shape->width ? by_width : by_height;
		return scale(w, still, columns * factor, rows * factor);
	}
	if (shape->fit == MEDIAJOB_FIT_FILL)
		return scale(w, still, columns * by_width, rows * by_height);
	if (shape->fit == MEDIAJOB_FIT_COVER || shape->fit == MEDIAJOB_FIT_OUTSIDE)
		factor = by_width > by_height ? by_width : by_height;
	if (scale(w, still, columns * factor, rows * factor))
		return w->result->error;
	if (shape->fit == MEDIAJOB_FIT_COVER)
		return crop_middle(w, still, (unsigned long)shape->width, (unsigned long)shape->height);
	if (shape->fit == MEDIAJOB_FIT_CONTAIN)
		return put_on_canvas(w, still, (unsigned long)shape->width, (unsigned long)shape->height, shape->opaque ? &black : &nothing);
	return 0;
}

int still_resize(struct work *w, struct still *still, int width, int height, enum mediajob_fit fit, bool opaque)
{
	const struct still_shape shape = { width, height, fit, true, opaque };

	return still_fit(w, still, &shape);
}

/* ---- encoding ---- */

static int encode_magick(struct work *w, struct still *still, const struct still_format *format, struct buf *out)
{
	ImageInfo *writing = CloneImageInfo(NULL);
	bool jpeg = format->format == MEDIAJOB_FORMAT_JPEG;
	ExceptionInfo exception;
	size_t len = 0;
	void *blob;
	int error = 0;

	GetExceptionInfo(&exception);
	if (!jpeg && format->palette) {
		QuantizeInfo quantize;

		GetQuantizeInfo(&quantize);
		quantize.number_colors = PALETTE;
		QuantizeImage(&quantize, still->image);
	}
	MagickStrlCpy(writing->magick, jpeg ? "JPEG" : "PNG", sizeof writing->magick);
	MagickStrlCpy(still->image->magick, writing->magick, sizeof still->image->magick);
	/* PNG: tens are the level, 5 is adaptive filtering. */
	writing->quality = (unsigned long)(jpeg ? format->quality : format->png_level * 10 + (format->palette ? 0 : 5));
	writing->interlace = jpeg ? LineInterlace : NoInterlace;
	if (jpeg)
		CloneString(&writing->sampling_factor, "2x2,1x1,1x1");
	blob = ImageToBlob(writing, still->image, &len, &exception);
	if (blob)
		buf_append(out, blob, len);
	else
		error = fail_with(w, MEDIAJOB_E_INPUT, &exception);
	MagickFree(blob);
	DestroyExceptionInfo(&exception);
	DestroyImageInfo(writing);
	return error;
}

int still_encode(struct work *w, struct still *still, const struct still_format *format, struct buf *out)
{
	uint8_t *rgba;
	int error;

	if (format->format == MEDIAJOB_FORMAT_JPEG && still_flatten(w, still))
		return w->result->error;
	if (format->format != MEDIAJOB_FORMAT_WEBP)
		return encode_magick(w, still, format, out);
	rgba = still_rgba(still);
	if (!rgba)
		return work_fail(w, MEDIAJOB_E_LIMIT, "not enough memory");
	error = webp_encode(w, rgba, still_width(still), still_height(still), format->quality, format->webp_effort, out);
	free(rgba);
	return error;
}

static bool small_jpeg(struct work *w, struct still *still, struct buf *jpeg)
{
	struct still_format format = { .format = MEDIAJOB_FORMAT_JPEG, .quality = THUMBNAIL_QUALITY };

	for (; format.quality >= SMALLEST_QUALITY; format.quality -= SMALLEST_QUALITY) {
		buf_clear(jpeg);
		if (still_encode(w, still, &format, jpeg))
			return false;
		if (jpeg->len < MEDIAJOB_MAX_THUMBNAIL)
			return true;
	}
	return false;
}

void still_thumbnail(struct work *w, const struct still *still)
{
	struct mediajob_result scrap, *result = w->result;
	struct still copy = { NULL };
	struct buf jpeg = { 0 };
	ExceptionInfo exception;

	GetExceptionInfo(&exception);
	copy.image = CloneImage(still->image, 0, 0, 1, &exception);
	DestroyExceptionInfo(&exception);
	if (!copy.image)
		return;
	/* Its failures are not the job's. */
	w->result = &scrap;
	if (!still_flatten(w, &copy) && !still_resize(w, &copy, THUMBNAIL_SIDE, THUMBNAIL_SIDE, MEDIAJOB_FIT_INSIDE, true) && small_jpeg(w, &copy, &jpeg)) {
		memcpy(result->thumbnail, jpeg.data, jpeg.len);
		result->thumbnail_len = jpeg.len;
		result->thumbnail_width = still_width(&copy);
		result->thumbnail_height = still_height(&copy);
	}
	w->result = result;
	buf_free(&jpeg);
	DestroyImageList(copy.image);
}

/* ---- start ---- */

/* Coders look for their tables and libraries when they are first used. */
static void try_coders(void)
{
	static const uint8_t pixels[4 * 4 * 4] = { 0 };
	static const enum mediajob_format formats[] = { MEDIAJOB_FORMAT_JPEG, MEDIAJOB_FORMAT_PNG, MEDIAJOB_FORMAT_WEBP };
	static const struct mediajob job = { .task = MEDIAJOB_TASK_IMAGE, .max_pixels = LIMIT_MEDIA_PIXELS };
	static struct mediajob_result result;
	struct work w = { .job = &job, .result = &result, .output = -1 };

	for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
		const struct still_format format = { .format = formats[i], .quality = 50 };
		struct still *still = still_of_rgba(pixels, 4, 4), *again = NULL;
		struct buf out = { 0 };

		if (still && !still_resize(&w, still, 3, 3, MEDIAJOB_FIT_FILL, true) && !still_encode(&w, still, &format, &out)) {
			w.source = (struct source){ .fd = -1, .owned = out.data, .size = (int64_t)out.len };
			w.sniffed = sniff_bytes(out.data, out.len);
			if (!image_probe(&w) && !still_open(&w, 0, &again))
				still_close(again);
		}
		still_close(still);
		buf_free(&out);
	}
}

void image_warm_up(void)
{
	ExceptionInfo exception;

	GetExceptionInfo(&exception);
	InitializeMagickEx(NULL, MAGICK_OPT_NO_SIGNAL_HANDER, &exception);
	DestroyExceptionInfo(&exception);
	SetMagickResourceLimit(ThreadsResource, 1);
	SetMagickResourceLimit(DiskResource, 0);
	SetMagickResourceLimit(MapResource, 0);
	SetMagickResourceLimit(FileResource, 1);
	SetMagickResourceLimit(PixelsResource, LIMIT_MEDIA_PIXELS);
	SetMagickResourceLimit(WidthResource, LIMIT_MEDIA_SIDE);
	SetMagickResourceLimit(HeightResource, LIMIT_MEDIA_SIDE);
	SetMagickResourceLimit(MemoryResource, LIMIT_MEDIA_MEMORY_BYTES * 3 / 4);
	try_coders();
}
