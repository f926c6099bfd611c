// Command generate writes what this package has from the library's description, api/gigachat.json:
// options, error kinds, event kinds, strategies. It prints one file, named by its argument.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/format"
	"os"
	"strings"
)

type option struct {
	Name    string `json:"name"`
	Unit    string `json:"unit"`
	Doc     string `json:"doc"`
	Default any    `json:"default"`
	Range   []any  `json:"range"`
}

type named struct {
	Name     string `json:"name"`
	Constant string `json:"constant"`
	Value    int    `json:"value"`
	Doc      string `json:"doc"`
}

type description struct {
	Options       []option `json:"options"`
	RouterOptions []option `json:"router_options"`
	ErrorKinds    []named  `json:"error_kinds"`
	Events        []named  `json:"events"`
	Strategies    []named  `json:"strategies"`
}

// Words that Go writes in capitals.
var initialisms = map[string]string{
	"url": "URL", "tls": "TLS", "id": "ID", "ca": "CA", "pem": "PEM", "http": "HTTP", "api": "API",
}

func goName(name string) string {
	var out strings.Builder
	for _, word := range strings.FieldsFunc(name, func(r rune) bool { return r == '_' || r == '-' }) {
		if capitals := initialisms[word]; capitals != "" {
			out.WriteString(capitals)
		} else {
			out.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	return out.String()
}

// How a unit is written in Go, and how a value of it becomes text.
func goType(unit string) (typ, text string) {
	switch unit {
	case "seconds":
		return "time.Duration", "seconds(o.%s)"
	case "count", "bytes":
		return "*int", "whole(o.%s)"
	case "number":
		return "*float64", "number(o.%s)"
	case "boolean":
		return "*bool", "boolean(o.%s)"
	case "host names":
		return "[]string", "strings.Join(o.%s, \",\")"
	case "headers":
		return "map[string]string", "headers(o.%s)"
	}
	return "string", "o.%s"
}

func comment(text, indent string) string {
	var out strings.Builder
	line := ""
	for _, word := range strings.Fields(text) {
		if len(line)+len(word) > 100 {
			fmt.Fprintf(&out, "%s// %s\n", indent, line)
			line = ""
		}
		line = strings.TrimSpace(line + " " + word)
	}
	fmt.Fprintf(&out, "%s// %s\n", indent, line)
	return out.String()
}

func structOf(out *bytes.Buffer, name, about string, options []option) {
	fmt.Fprintf(out, "// %s %s\ntype %s struct {\n", name, about, name)
	for _, o := range options {
		typ, _ := goType(o.Unit)
		out.WriteString(comment(goName(o.Name)+": "+o.Doc, "\t"))
		fmt.Fprintf(out, "\t%s %s\n", goName(o.Name), typ)
	}
	fmt.Fprintf(out, "\t// Extra sets further options by the library's names, such as those of a newer library.\n")
	fmt.Fprintf(out, "\tExtra map[string]string\n}\n\n")
	fmt.Fprintf(out, "func (o *%s) rows() []row {\n\trows := []row{\n", name)
	for _, o := range options {
		_, text := goType(o.Unit)
		fmt.Fprintf(out, "\t\t{%q, %s},\n", o.Name, fmt.Sprintf(text, goName(o.Name)))
	}
	fmt.Fprintf(out, "\t}\n\treturn given(rows, o.Extra)\n}\n\n")
}

func main() {
	text, err := os.ReadFile(os.Args[1])
	if err != nil {
		panic(err)
	}
	var d description
	if err := json.Unmarshal(text, &d); err != nil {
		panic(err)
	}
	var out bytes.Buffer
	out.WriteString("// Code generated from api/gigachat.json by internal/generate. DO NOT EDIT.\n\npackage gigachat\n\n")
	out.WriteString("import (\n\t\"strings\"\n\t\"time\"\n)\n\n")
	structOf(&out, "Options", "are how a client is configured. What is zero or nil keeps its default.", d.Options)
	structOf(&out, "RouterOptions", "are how a router works. What is zero or nil keeps its default.", d.RouterOptions)
	out.WriteString("// What kind a failure is, for errors.Is.\nvar (\n")
	for _, kind := range d.ErrorKinds {
		out.WriteString(comment("Err"+goName(kind.Name)+": "+kind.Doc, "\t"))
		fmt.Fprintf(&out, "\tErr%s error = errorKind(%q)\n", goName(kind.Name), kind.Name)
	}
	out.WriteString(")\n\n// What an event is.\nconst (\n")
	for _, event := range d.Events {
		out.WriteString(comment("Event"+goName(event.Name)+": "+event.Doc, "\t"))
		fmt.Fprintf(&out, "\tEvent%s EventKind = %d\n", goName(event.Name), event.Value)
	}
	out.WriteString(")\n\n// How a router chooses, for RouterOptions.Strategy.\nconst (\n")
	for _, strategy := range d.Strategies {
		if strategy.Doc != "" {
			out.WriteString(comment("Strategy"+goName(strategy.Name)+": "+strategy.Doc, "\t"))
		}
		fmt.Fprintf(&out, "\tStrategy%s = %q\n", goName(strategy.Name), strategy.Name)
	}
	out.WriteString(")\n")
	formatted, err := format.Source(out.Bytes())
	if err != nil {
		os.Stderr.Write(out.Bytes())
		panic(err)
	}
	os.Stdout.Write(formatted)
}
