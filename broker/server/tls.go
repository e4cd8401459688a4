package server

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"sync"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"

	"gatehouse/configs"
)

// certificates holds the listener's certificate and follows its files.
type certificates struct {
	log *slog.Logger

	mu      sync.RWMutex
	config  configs.TLS
	current *tls.Certificate
	stamp   [2]time.Time
}

var errNoCertificate = errors.New("no certificate is loaded")

// load reads the files of a configuration. With neither files nor change it does
// nothing.
func (c *certificates) load(t configs.TLS) error {
	if t.CertFile == "" {
		return nil
	}
	stamp, err := stamps(t)
	if err != nil {
		return fmt.Errorf("tls: %w", err)
	}
	pair, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
	if err != nil {
		return fmt.Errorf("tls: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.config, c.current, c.stamp = t, &pair, stamp
	return nil
}

// refresh reads the files again if they have changed. A pair that does not fit,
// as between the two writes of a renewal, leaves the old one in use.
func (c *certificates) refresh() {
	c.mu.RLock()
	config, old := c.config, c.stamp
	c.mu.RUnlock()
	if config.CertFile == "" {
		return
	}
	stamp, err := stamps(config)
	if err == nil && stamp == old {
		return
	}
	if err == nil {
		err = c.load(config)
	}
	if err != nil {
		c.log.Error("certificate files changed and cannot be used; the old certificate stays", "error", err)
		return
	}
	c.log.Info("certificate reloaded", "file", config.CertFile)
}

func stamps(t configs.TLS) (s [2]time.Time, err error) {
	for i, path := range []string{t.CertFile, t.KeyFile} {
		info, err := os.Stat(path)
		if err != nil {
			return s, err
		}
		s[i] = info.ModTime()
	}
	return s, nil
}

func (c *certificates) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if c.current == nil {
		return nil, errNoCertificate
	}
	return c.current, nil
}

// listenerTLS is what every listener of ours offers: forward secrecy and AEAD
// only (RFC 9325 §4.2); Go would also offer CBC suites for TLS 1.2.
func (s *Server) listenerTLS(c *configs.Config) *tls.Config {
	out := &tls.Config{
		MinVersion: tls.VersionTLS12,
		CipherSuites: []uint16{
			tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
			tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
		},
		NextProtos:     []string{"h2", "http/1.1"},
		GetCertificate: s.certs.get,
	}
	if a := c.TLS.ACME; a != nil {
		manager := &autocert.Manager{Prompt: autocert.AcceptTOS, Email: a.Email, Cache: autocert.DirCache(a.CacheDir),
			HostPolicy: autocert.HostWhitelist(hostName(c.Issuer))}
		if a.DirectoryURL != "" {
			manager.Client = &acme.Client{DirectoryURL: a.DirectoryURL}
		}
		out.GetCertificate = manager.GetCertificate
		// RFC 8737 §3: the challenge comes over the listener itself.
		out.NextProtos = append(out.NextProtos, acme.ALPNProto)
	}
	return out
}

func hostName(issuer string) string {
	u, err := url.Parse(issuer)
	if err != nil {
		return ""
	}
	return u.Hostname()
}
