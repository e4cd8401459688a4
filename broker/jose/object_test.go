package jose_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"gatehouse/broker/jose"
)

type inner struct {
	Kid   string `json:"kid"`
	Depth int    `json:"depth"`
}

type base struct {
	Shared string `json:"shared"`
	Hidden string `json:"hidden"`
}

// Node contains itself.
type Node struct {
	Name string  `json:"name"`
	Next *Node   `json:"next"`
	All  []*Node `json:"all"`
}

// selfDecoding takes any member.
type selfDecoding struct{ text string }

func (s *selfDecoding) UnmarshalJSON(data []byte) error {
	if strings.Contains(string(data), "refuse") {
		return errOwn
	}
	s.text = string(data)
	return nil
}

var errOwn = errors.New("own reason")

type document struct {
	base
	*Node
	Issuer   string `json:"issuer"`
	Untagged string
	Hidden   int              `json:"hidden"`
	Inner    inner            `json:"inner"`
	Pointer  *inner           `json:"pointer"`
	List     []inner          `json:"list"`
	ByName   map[string]inner `json:"by_name"`
	Own      selfDecoding     `json:"own"`
	Time     time.Time        `json:"time"`
	Any      any              `json:"any"`
	Later    json.RawMessage  `json:"later"`
	Skipped  string           `json:"-"`
	//lint:ignore SA5008 encoding/json knows it as the way to name a member "-"
	Dash    string `json:"-,"`
	Options string `json:"options,omitempty"`
	//lint:ignore U1000 what cannot be set from outside must not count as a name
	private string
}

func TestStrictUnmarshalWantsExactNamesAtEveryDepth(t *testing.T) {
	t.Parallel()
	for _, data := range []string{
		`{"Issuer":"x"}`, `{"iſſuer":"x"}`, `{"untagged":"x"}`, `{"SHARED":"x"}`, `{"HIDDEN":1}`, `{"Options":"x"}`,
		`{"inner":{"Kid":"x"}}`, `{"inner":{"\u212aid":"x"}}`, `{"pointer":{"KID":"x"}}`, `{"list":[{},{"kiD":"x"}]}`, `{"by_name":{"x":{"Kid":"x"}}}`,
		`{"Name":"x"}`, `{"next":{"next":{"next":{"NAME":"x"}}}}`, `{"all":[{"all":[{"nAme":"x"}]}]}`, `{"LATER":1}`, `{"Any":1}`,
	} {
		var v document
		if err := jose.StrictUnmarshal([]byte(data), &v); !errors.Is(err, jose.ErrMalformed) || !reflect.DeepEqual(v, document{}) {
			t.Errorf("%s: %v, %+v", data, err, v)
		}
	}
	for _, data := range []string{
		`{"issuer":"x","Untagged":"x","shared":"x","hidden":1,"options":"x","-":"x","unknown":1,"Unknown":2}`,
		`{"by_name":{"Kid":{},"kid":{},"KID":{}}}`, `{"own":{"Issuer":1,"ISSUER":2},"later":{"Kid":1},"any":{"Kid":1}}`,
		`{"Skipped":1,"skipped":2,"Private":1,"private":2}`, `{"next":{"name":"x","all":[{"name":"y"}]},"time":"2026-01-01T00:00:00Z"}`, `{"issuer":null}`,
	} {
		var got, want document
		must(t, json.Unmarshal([]byte(data), &want))
		if err := jose.StrictUnmarshal([]byte(data), &got); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v", data, err)
		}
	}
}

func TestStrictUnmarshalIntoOtherThanStructs(t *testing.T) {
	t.Parallel()
	var m map[string]inner
	if err := jose.StrictUnmarshal([]byte(`{"a":{"kid":"x"},"A":{"kid":"y"}}`), &m); err != nil || m["a"].Kid != "x" || m["A"].Kid != "y" {
		t.Errorf("map: %v, %v", m, err)
	}
	var list []inner
	if err := jose.StrictUnmarshal([]byte(`[{"kid":"x"}]`), &list); err != nil || len(list) != 1 {
		t.Errorf("list: %v, %v", list, err)
	}
	if err := jose.StrictUnmarshal([]byte(`[{"KID":"x"}]`), &list); !errors.Is(err, jose.ErrMalformed) {
		t.Errorf("list with another case: %v", err)
	}
	var anything any
	if err := jose.StrictUnmarshal([]byte(`{"a":1,"a":2}`), &anything); !errors.Is(err, jose.ErrMalformed) || anything != nil {
		t.Errorf("any: %v, %v", anything, err)
	}
	if err := jose.StrictUnmarshal([]byte(`{}`), nil); err == nil {
		t.Error("nowhere to decode to")
	}
}

func TestStrictUnmarshalSaysWhatIsWrongWithoutTheValue(t *testing.T) {
	t.Parallel()
	var v document
	err := jose.StrictUnmarshal([]byte(`{"inner":{"depth":123456789.5}}`), &v)
	if !errors.Is(err, jose.ErrMalformed) || !strings.Contains(err.Error(), "inner.depth") || strings.Contains(err.Error(), "123456789") {
		t.Errorf("error = %v", err)
	}
	if err := jose.StrictUnmarshal([]byte(`{"own":"refuse"}`), &v); !errors.Is(err, jose.ErrMalformed) || !errors.Is(err, errOwn) {
		t.Errorf("error of UnmarshalJSON = %v", err)
	}
}

func TestStrictObject(t *testing.T) {
	t.Parallel()
	m, err := jose.StrictObject([]byte(" {\"sub\" : \"alice\" ,\n\"address\":{\"a\": [1, 2] },\"s\\u00fc\":null} "))
	if err != nil || len(m) != 3 || string(m["sub"]) != `"alice"` || string(m["address"]) != `{"a": [1, 2] }` || string(m["sü"]) != "null" {
		t.Errorf("%s, %v", m, err)
	}
	if m, err := jose.StrictObject([]byte(`{}`)); err != nil || m == nil || len(m) != 0 {
		t.Errorf("empty: %v, %v", m, err)
	}
	for _, data := range []string{``, ` `, `[]`, `null`, `"x"`, `{`, `{"a"`, `{"a":`, `{"a":1`, `{"a":1}}`, `{"a":1},`, `{"sub":1,"Sub":2}`, `{"EMAIL":1}`, `{"a":"\u12"}`, `{"a":"\`, `{"a":"\ud800\u`} {
		if m, err := jose.StrictObject([]byte(data)); !errors.Is(err, jose.ErrMalformed) || m != nil {
			t.Errorf("%q: %s, %v", data, m, err)
		}
	}
}

func TestStrictObjectGivesValuesThatCannotGrowIntoEachOther(t *testing.T) {
	t.Parallel()
	data := []byte(`{"a":1,"b":2}`)
	m, err := jose.StrictObject(data)
	must(t, err)
	_ = append(m["a"], '9')
	if string(data) != `{"a":1,"b":2}` {
		t.Errorf("appending to a value wrote %s", data)
	}
}
