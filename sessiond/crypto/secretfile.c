/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading and creating files with secrets, see secretfile.h. */
#include "sessiond/crypto/secretfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sessiond/crypto/crypto.h"

enum { SECRET_BYTES_MAX = 64 };

int secretfile_read(const char *path, char text[SECRETFILE_MAX])
{
	size_t at = 0;
	struct stat st;
	int saved, rc = CRYPTO_EIO;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return CRYPTO_EIO;
	if (fstat(fd, &st) != 0)
		goto out;
	if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
		errno = EACCES;
		goto out;
	}
	for (;;) {
		ssize_t n = read(fd, text + at, SECRETFILE_MAX - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			goto out;
		if (n == 0)
			break;
		at += (size_t)n;
		if (at == SECRETFILE_MAX) {
			rc = CRYPTO_EFORMAT;
			goto out;
		}
	}
	text[at] = '\0';
	rc = CRYPTO_OK;
out:
	saved = errno;
	close(fd);
	if (rc != CRYPTO_OK)
		crypto_wipe(text, at);
	errno = saved;
	return rc;
}

static int write_all(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

/* A new name is only there for good once the directory reached the disk as well. */
static int sync_directory_of(const char *path)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');
	size_t len = slash == NULL ? 0 : (size_t)(slash - path);
	int fd, rc;

	if (len >= sizeof folder) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(folder, path, len);
	folder[len] = '\0';
	fd = open(slash == NULL ? "." : len == 0 ? "/" : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	rc = fsync(fd);
	close(fd);
	return rc;
}

int secretfile_create(const char *path, const char *text)
{
	char temporary[PATH_MAX];
	int saved, fd, n, rc = CRYPTO_EIO;

	n = snprintf(temporary, sizeof temporary, "%s.%ld.new", path, (long)getpid());
	if (n < 0 || (size_t)n >= sizeof temporary) {
		errno = ENAMETOOLONG;
		return CRYPTO_EIO;
	}
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
	if (fd < 0)
		return CRYPTO_EIO;
	if (write_all(fd, text, strlen(text)) == 0 && fsync(fd) == 0 &&
	    link(temporary, path) == 0 && sync_directory_of(path) == 0)
		rc = CRYPTO_OK;
	saved = errno;
	close(fd);
	unlink(temporary);
	errno = saved;
	return rc;
}

static size_t trimmed_len(const char *text)
{
	size_t len = strlen(text);

	while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r' || text[len - 1] == ' '))
		len--;
	return len;
}

int secretfile_load_or_create(const char *path, uint8_t *secret, size_t len)
{
	char text[SECRETFILE_MAX], fresh[2 * SECRET_BYTES_MAX + 2];
	int rc;

	if (len > SECRET_BYTES_MAX)
		return CRYPTO_EARG;
	rc = secretfile_read(path, text);
	if (rc == CRYPTO_EIO && errno == ENOENT) {
		rc = crypto_random(secret, len);
		if (rc == CRYPTO_OK) {
			crypto_hex(secret, len, fresh);
			fresh[2 * len] = '\n';
			fresh[2 * len + 1] = '\0';
			rc = secretfile_create(path, fresh);
			crypto_wipe(fresh, sizeof fresh);
		}
		if (rc == CRYPTO_OK || (rc == CRYPTO_EIO && errno == EEXIST))
			rc = secretfile_read(path, text);
	}
	if (rc == CRYPTO_OK) {
		rc = crypto_unhex(text, trimmed_len(text), secret, len);
		crypto_wipe(text, sizeof text);
	}
	return rc;
}
