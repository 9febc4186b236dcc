// SPDX-License-Identifier: GPL-3.0-or-later

// A webhook receiver: checks the signature, knows each event once, answers "ping" with an action. Standard library alone.
//
//	WAREST_SECRET=secret[,older secret] PORT=8080 go run receiver.go
package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"log"
	"math"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

var hashes = map[string]func() hash.Hash{
	"HMAC-SHA224": sha256.New224, "HMAC-SHA256": sha256.New, "HMAC-SHA384": sha512.New384, "HMAC-SHA512": sha512.New,
}

type event struct {
	Event string `json:"event"`
	Ts    int64  `json:"ts"`
	Data  struct {
		Text string `json:"text"`
	} `json:"data"`
}

type object map[string]any

// A real receiver keeps these where they survive a restart.
var seen sync.Map

func getenv(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

func isSigned(header http.Header, body []byte) bool {
	algorithm, digits, _ := strings.Cut(header.Get("X-WAREST-Signature"), "=")
	given, err := hex.DecodeString(digits)
	if hashes[algorithm] == nil || err != nil {
		return false
	}
	for _, secret := range strings.Split(os.Getenv("WAREST_SECRET"), ",") {
		if secret = strings.TrimSpace(secret); secret == "" {
			continue
		}
		mac := hmac.New(hashes[algorithm], []byte(secret+header.Get("X-WAREST-Username")))
		mac.Write(body)
		if hmac.Equal(mac.Sum(nil), given) {
			return true
		}
	}
	return false
}

// The header's time is not signed, that in the body is.
func isFresh(e event) bool {
	tolerance, err := strconv.ParseFloat(getenv("WAREST_TOLERANCE_SEC", "300"), 64)
	late := math.Abs(float64(time.Now().UnixMilli() - e.Ts))
	return os.Getenv("WAREST_VERIFY_TS") != "1" || (err == nil && late <= tolerance*1000)
}

func answerTo(e event) object {
	switch {
	case e.Event == "preflight":
		return object{"ok": true, "pong": true}
	case e.Event == "message_received" && e.Data.Text == "ping":
		return object{"ok": true, "actions": []object{{"type": "text", "to": "{{sender.chatId}}", "text": "pong from Go"}}}
	}
	return object{"ok": true}
}

func handle(header http.Header, body []byte) (int, object) {
	var e event
	if !isSigned(header, body) {
		return http.StatusUnauthorized, object{"ok": false, "error": "bad signature"}
	}
	if err := json.Unmarshal(body, &e); err != nil {
		return http.StatusBadRequest, object{"ok": false, "error": "no JSON"}
	}
	if !isFresh(e) {
		return http.StatusUnauthorized, object{"ok": false, "error": "too old"}
	}
	if id := header.Get("X-WAREST-Event-Id"); id != "" {
		if _, known := seen.LoadOrStore(id, true); known {
			return http.StatusOK, object{"ok": true}
		}
	}
	fmt.Println(e.Event, header.Get("X-WAREST-Event-Id"))
	return http.StatusOK, answerTo(e)
}

func main() {
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		status, answer := handle(r.Header, body)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		if err := json.NewEncoder(w).Encode(answer); err != nil {
			log.Print(err)
		}
	})
	log.Fatal(http.ListenAndServe(getenv("HOST", "127.0.0.1")+":"+getenv("PORT", "8080"), nil))
}
