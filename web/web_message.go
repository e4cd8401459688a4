package web

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
)

// WebMessage is the page that hands an authorization response to the page that
// opened or framed it, by postMessage. What is handed over is described in
// docs/web-message.md.
type WebMessage struct {
	// URI is the validated redirect URI. Its origin alone is sent the message.
	URI        string
	ClientName string
	Fields     []Field
}

// webMessageData is what the template has.
type webMessageData struct {
	Target, Response, ClientName string
}

var webMessageSpecimen = specimen{name: "web_message.html", data: webMessageData{
	Target: "https://wiki.example.com", Response: `{"code":"code"}`, ClientName: "Wiki",
}}

// WebMessage writes the page with status 200. It may be framed by the client's
// origin, which no other page of ours may. The message goes to exactly that origin
// and never to "*": whoever else has opened the page receives nothing.
func (p *Pages) WebMessage(w http.ResponseWriter, m WebMessage) {
	target, ok := originOf(m.URI)
	if !ok {
		p.Error(w, http.StatusBadRequest, Error{
			Title:   "This application cannot be reached",
			Message: "The address to which it wants its answer cannot receive a message.",
			Next:    "Tell whoever runs the application.",
		})
		return
	}
	response := make(map[string]string, len(m.Fields))
	for _, f := range m.Fields {
		response[f.Name] = f.Value
	}
	// Strings: encoding cannot fail.
	encoded, _ := json.Marshal(response)
	data := webMessageData{Target: target, Response: string(encoded), ClientName: m.ClientName}
	cleanClient(&data.ClientName, &target)
	p.send(w, webMessageSpecimen, http.StatusOK, data, func(h http.Header) {
		policy := h.Get("Content-Security-Policy")
		h.Set("Content-Security-Policy", strings.Replace(policy, "frame-ancestors 'none'", "frame-ancestors "+data.Target, 1))
		h.Del("X-Frame-Options") // it cannot name an origin, and would win in old browsers
	})
}

// originOf is the origin of an http or https URL (RFC 6454 §6.2), as browsers
// compare it.
func originOf(uri string) (string, bool) {
	u, err := url.Parse(uri)
	if err != nil || u.Hostname() == "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http" {
		return "", false
	}
	host := strings.ToLower(u.Host)
	if u.Scheme == "https" {
		host = strings.TrimSuffix(host, ":443")
	} else {
		host = strings.TrimSuffix(host, ":80")
	}
	if strings.ContainsAny(host, " ;,'\"\\") {
		return "", false
	}
	return u.Scheme + "://" + host, true
}
