package gigachat

//go:generate sh -c "go run ./internal/generate ../../api/gigachat.json > generated.go"

import (
	"sort"
	"strconv"
	"strings"
	"time"
)

// row is an option by its name, with its value as text.
type row struct{ name, value string }

// given are the rows that have a value, and the extra ones in the order of their names.
func given(rows []row, extra map[string]string) []row {
	var out []row
	for _, r := range rows {
		if r.value != "" {
			out = append(out, r)
		}
	}
	names := make([]string, 0, len(extra))
	for name := range extra {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		out = append(out, row{name, extra[name]})
	}
	return out
}

// Ptr is a pointer to a value, for options whose zero means something: MaxRetries: gigachat.Ptr(0).
func Ptr[T any](value T) *T { return &value }

func seconds(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return strconv.FormatFloat(d.Seconds(), 'f', -1, 64)
}

func whole(n *int) string {
	if n == nil {
		return ""
	}
	return strconv.Itoa(*n)
}

func number(x *float64) string {
	if x == nil {
		return ""
	}
	return strconv.FormatFloat(*x, 'g', -1, 64)
}

func boolean(b *bool) string {
	if b == nil {
		return ""
	}
	return strconv.FormatBool(*b)
}

func headers(h map[string]string) string {
	names := make([]string, 0, len(h))
	for name := range h {
		names = append(names, name)
	}
	sort.Strings(names)
	lines := make([]string, len(names))
	for i, name := range names {
		lines[i] = name + ": " + h[name]
	}
	return strings.Join(lines, "\n")
}
