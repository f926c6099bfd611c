// Command matrix-driver is the Go side of the fault matrix (tests/behaviour): it reads one command a line
// from stdin, performs it through the package, and answers with one line of JSON. It decides nothing.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	gigachat "github.com/libgigachat/libgigachat/bindings/go"
)

type outcome = map[string]any

type driver struct{ client *gigachat.Client }

func asked(prompt string) *gigachat.Request { return gigachat.Prompt(prompt) }

func toInt(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

func failed(err error, delivered any) outcome {
	var e *gigachat.Error
	if !errors.As(err, &e) {
		return outcome{"result": "error", "kind": "not_ours", "message": err.Error()}
	}
	wait := int64(-1)
	if e.RetryAfter != nil {
		wait = e.RetryAfter.Milliseconds()
	}
	return outcome{
		"result": "error", "kind": e.Kind, "phase": e.Phase, "message": e.Message, "http": e.HTTPStatus,
		"code": e.ServiceCode, "retry_after_ms": wait, "retryable": toInt(e.Retryable), "attempts": e.Attempts,
		"request_id": toInt(e.RequestID != ""), "text": delivered, "partial": e.PartialText,
	}
}

func answered(response *gigachat.Response, text string) outcome {
	return outcome{
		"result": "ok", "text": text, "attempts": response.Attempts, "request_id": toInt(response.RequestID != ""),
	}
}

// open takes the options by the library's names; times are in milliseconds.
func (d *driver) open(fields []string) outcome {
	extra := map[string]string{"proxy_from_environment": "false"}
	for _, field := range fields {
		name, value, _ := strings.Cut(field, "=")
		if short, found := strings.CutSuffix(name, "_ms"); found {
			ms, _ := strconv.ParseFloat(value, 64)
			name, value = short, strconv.FormatFloat(ms/1000, 'f', -1, 64)
		}
		extra[name] = value
	}
	client, err := gigachat.New(gigachat.Options{Extra: extra})
	if err != nil {
		return failed(err, nil)
	}
	d.client = client
	return outcome{"result": "ok"}
}

func (d *driver) call(ctx context.Context, prompt string) outcome {
	response, err := d.client.Chat(ctx, asked(prompt))
	if err != nil {
		return failed(err, nil)
	}
	return answered(response, response.Text)
}

func (d *driver) stream(ctx context.Context, prompt string) outcome {
	delivered := ""
	for event, err := range d.client.Stream(ctx, asked(prompt)) {
		switch {
		case err != nil:
			return failed(err, delivered)
		case event.Kind == gigachat.EventText:
			delivered += event.Text
		case event.Kind == gigachat.EventEnd:
			return answered(event.Response, delivered)
		}
	}
	return outcome{"result": "error", "kind": "not_ours", "message": "the stream had no end"}
}

// cancelled cancels what is asked after so long, and tells how long it took to end.
func cancelled(after string, ask func(context.Context) outcome) outcome {
	ms, _ := strconv.Atoi(after)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	done := make(chan outcome, 1)
	go func() { done <- ask(ctx) }()
	begun := time.Now()
	var got outcome
	select {
	case got = <-done:
	case <-time.After(time.Duration(ms) * time.Millisecond):
		begun = time.Now()
		cancel()
		got = <-done
	}
	got["cancelled_within_ms"] = time.Since(begun).Milliseconds()
	return got
}

func (d *driver) many(count, prompt string) outcome {
	n, _ := strconv.Atoi(count)
	errs := make([]error, n)
	var all sync.WaitGroup
	for i := range errs {
		all.Add(1)
		go func() {
			defer all.Done()
			_, errs[i] = d.client.Generate(context.Background(), prompt)
		}()
	}
	all.Wait()
	got := outcome{"result": "ok", "kind": "", "answered": n}
	for _, err := range errs {
		if err == nil {
			continue
		}
		got["answered"] = got["answered"].(int) - 1
		if got["result"] == "ok" {
			got["result"], got["kind"] = "error", failed(err, nil)["kind"]
		}
	}
	return got
}

func (d *driver) obey(fields []string) outcome {
	ctx := context.Background()
	switch verb, rest := fields[0], fields[1:]; verb {
	case "open":
		return d.open(rest)
	case "call":
		return d.call(ctx, rest[0])
	case "stream":
		return d.stream(ctx, rest[0])
	case "cancel_call":
		return cancelled(rest[0], func(ctx context.Context) outcome { return d.call(ctx, rest[1]) })
	case "cancel_stream":
		return cancelled(rest[0], func(ctx context.Context) outcome { return d.stream(ctx, rest[1]) })
	case "health":
		if _, err := d.client.HealthCheck(ctx); err != nil {
			return failed(err, nil)
		}
		return outcome{"result": "ok"}
	case "many":
		return d.many(rest[0], rest[1])
	case "close":
		d.client.Close()
		d.client = nil
		return outcome{"result": "ok", "live": gigachat.LiveHandles()}
	}
	panic("a command that nobody knows: " + fields[0])
}

func main() {
	var d driver
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		got := d.obey(strings.Split(lines.Text(), "\t"))
		if d.client != nil {
			permits, _ := d.client.Permits()
			got["held"] = permits.Held
		}
		text, err := json.Marshal(got)
		if err != nil {
			panic(err)
		}
		fmt.Println(string(text))
	}
	if gigachat.Shutdown(10*time.Second) != nil {
		os.Exit(1)
	}
}
