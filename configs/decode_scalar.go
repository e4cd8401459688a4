package configs

import (
	"encoding"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// fromText is a type of this package that can be written as one word, whatever else it can be written as.
type fromText interface{ fromText(s string) error }

// special decodes the types with a form of their own and reports whether v is one.
func (d *decoder) special(n ast.Node, v reflect.Value, path string) bool {
	if v.Type() == connectorConfig {
		d.connector(n, v, path)
		return true
	}
	target := v.Addr().Interface()
	text, scalar := textOf(n)
	var err error
	switch t := target.(type) {
	case fromText:
		if !scalar {
			return false
		}
		err = t.fromText(text)
	case *time.Duration:
		*t, err = parseDuration(text, scalar)
	case *netip.Prefix:
		*t, err = parseNetwork(text, scalar)
	case yaml.InterfaceUnmarshaler, yaml.BytesUnmarshaler, yaml.NodeUnmarshaler:
		err = decodeWithLibrary(n, target)
	case encoding.TextUnmarshaler:
		if k := v.Kind(); !scalar && (k == reflect.Slice || k == reflect.Struct && v.NumField() > 1) {
			return false // a list or section that may be shortened to one word
		}
		if !scalar {
			err = errors.New("must be one value")
			break
		}
		err = t.UnmarshalText([]byte(text))
	default:
		return false
	}
	if err != nil {
		d.fail(lineOf(n), path, "%s", oneLine(err))
	}
	return true
}

// decodeWithLibrary is for types that bring their own decoding.
func decodeWithLibrary(n ast.Node, target any) error {
	err := yaml.NodeToValue(n, target, yaml.Strict())
	if e, ok := errors.AsType[yaml.Error](err); ok {
		return errors.New(e.GetMessage()) // the whole text would repeat lines of the file
	}
	return err
}

func oneLine(err error) string {
	s, _, _ := strings.Cut(err.Error(), "\n")
	return s
}

// scalar decodes the basic kinds.
func (d *decoder) scalar(n ast.Node, v reflect.Value, path string) {
	text, ok := textOf(n)
	line := lineOf(n)
	switch k := v.Kind(); {
	case k == reflect.String:
		if _, isBool := n.(*ast.BoolNode); !ok || isBool {
			d.fail(line, path, "must be text: put quotes around it if it is meant so")
			return
		}
		if strings.ContainsFunc(text, unicode.IsControl) {
			d.fail(line, path, "holds a line break or another control character: write it on one line")
			return
		}
		v.SetString(text)
	case k == reflect.Bool:
		b, isBool := n.(*ast.BoolNode)
		if !isBool {
			d.fail(line, path, "must be true or false")
			return
		}
		v.SetBool(b.Value)
	case v.CanInt():
		i, err := strconv.ParseInt(text, 10, v.Type().Bits())
		if err != nil || !isNumber(n) {
			d.fail(line, path, "must be a whole number")
			return
		}
		v.SetInt(i)
	case v.CanUint():
		u, err := strconv.ParseUint(text, 10, v.Type().Bits())
		if err != nil || !isNumber(n) {
			d.fail(line, path, "must be a whole number of zero or more")
			return
		}
		v.SetUint(u)
	default:
		d.fail(line, path, "cannot be read into a %s", v.Type())
	}
}

// textOf returns a scalar as it is written, less quotes. Numbers are not evaluated: a client_id 0123 stays 0123.
func textOf(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		if n.Value == nil {
			return "", true
		}
		return n.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, true
	}
	return "", false
}

func isNumber(n ast.Node) bool {
	_, ok := n.(*ast.IntegerNode)
	return ok
}

// parseDuration reads what time.ParseDuration does. Days are not among its units, and years of DST arguments say why.
func parseDuration(text string, scalar bool) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil || !scalar {
		return 0, errors.New("must be a duration with a unit: 60s, 15m or 720h")
	}
	return d, nil
}

// parseNetwork reads a network in CIDR form, or a single address.
func parseNetwork(text string, scalar bool) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(text); err == nil && a.Zone() == "" {
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	switch {
	case err != nil || !scalar:
		return netip.Prefix{}, errors.New("must be a network such as 10.0.0.0/8 or one address")
	case p.Addr().Is4In6():
		return netip.Prefix{}, errors.New("must be written as an IPv4 network")
	case p != p.Masked():
		return netip.Prefix{}, fmt.Errorf("has bits behind its length: write %s", p.Masked())
	}
	return p, nil
}
