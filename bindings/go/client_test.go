package gigachat

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// The tests run inside the emulator: gigachat-emulator --quiet -- go test ./...
func client(t *testing.T, change func(*Options)) *Client {
	t.Helper()
	if os.Getenv("GIGACHAT_CREDENTIALS") == "" {
		t.Fatal("run the tests inside the emulator: gigachat-emulator --quiet -- go test ./...")
	}
	options := Options{MaxConcurrency: Ptr(0)}
	if change != nil {
		change(&options)
	}
	made, err := FromEnv(&options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { made.Close() })
	return made
}

func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestWhatIsGeneratedIsWhatTheDescriptionSays(t *testing.T) {
	description := filepath.Join("..", "..", "api", "gigachat.json")
	now, err := exec.Command("go", "run", "./internal/generate", description).Output()
	if err != nil {
		t.Fatal(err)
	}
	checkedIn, err := os.ReadFile("generated.go")
	if err != nil {
		t.Fatal(err)
	}
	if string(now) != string(checkedIn) {
		t.Fatal("generated.go is behind api/gigachat.json: go generate")
	}
}

func TestAPromptIsAnswered(t *testing.T) {
	answer, err := client(t, nil).Generate(soon(t), "repeat: привет, \x00 NUL")
	if err != nil || answer != "привет, \x00 NUL" {
		t.Fatalf("%q %v", answer, err)
	}
}

func TestARequestHasAllFieldsAndItsAnswerTellsEverything(t *testing.T) {
	request := Prompt("repeat: hello")
	request.Temperature = Ptr(0.5)
	request.Call.RequestID = "7c6f2f3e-0000-4000-8000-000000000001"
	answer, err := client(t, nil).Chat(soon(t), request)
	if err != nil {
		t.Fatal(err)
	}
	if answer.Text != "hello" || answer.FinishReason != "stop" || answer.Usage == nil || answer.Attempts != 1 {
		t.Fatalf("%+v", answer)
	}
	if !json.Valid(answer.Raw) || answer.RequestID == "" || answer.Timings.Total <= 0 {
		t.Fatalf("%+v", answer)
	}
}

func TestAStreamGivesItsTextAndThenItsAnswer(t *testing.T) {
	text, ended := "", false
	for event, err := range client(t, nil).Stream(soon(t), Prompt("count to 5")) {
		if err != nil {
			t.Fatal(err)
		}
		if event.Kind == EventText {
			text += event.Text
		}
		if event.Kind == EventEnd {
			ended = event.Response.Text == text
		}
	}
	if !ended || !strings.Contains(text, "5") {
		t.Fatalf("%q %v", text, ended)
	}
}

func TestALoopThatIsLeftCancelsItsStream(t *testing.T) {
	c := client(t, func(o *Options) { o.MaxConcurrency = Ptr(1) })
	for range c.StreamText(soon(t), "count to 50") {
		break
	}
	// Its permit is free: the next call is answered.
	if _, err := c.Generate(soon(t), "repeat: next"); err != nil {
		t.Fatal(err)
	}
}

func TestFiftyGoroutinesAreAnsweredAndNoneIsLeft(t *testing.T) {
	c := client(t, nil)
	if _, err := c.Generate(soon(t), "warm"); err != nil {
		t.Fatal(err)
	}
	before := runtime.NumGoroutine()
	var all sync.WaitGroup
	errs := make([]error, 50)
	for i := range errs {
		all.Add(1)
		go func() {
			defer all.Done()
			_, errs[i] = c.Generate(soon(t), "repeat: one of fifty")
		}()
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(30 * time.Second); runtime.NumGoroutine() > before && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
	if after := runtime.NumGoroutine(); after > before {
		t.Fatalf("%d goroutines before, %d after", before, after)
	}
}

func TestTheContextsCauseIsTheErrorOfACancelledCall(t *testing.T) {
	c := client(t, nil)
	why := errors.New("the user went away")
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(why)
	if _, err := c.Generate(ctx, "never"); !errors.Is(err, why) {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(context.Background(), time.Nanosecond)
	defer stop()
	if _, err := c.Generate(ctx, "never"); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
}

func TestErrorsTellTheirKindAndEverythingElse(t *testing.T) {
	c := client(t, func(o *Options) { o.AuthorizationKey = "d3Jvbmc6d3Jvbmc=" })
	_, err := c.Generate(soon(t), "hello")
	var e *Error
	if !errors.Is(err, ErrAuthentication) || errors.Is(err, ErrTimeout) || !errors.As(err, &e) {
		t.Fatal(err)
	}
	if e.HTTPStatus != 401 || e.Phase != "token" || strings.Contains(err.Error(), "d3Jvbmc6d3Jvbmc=") {
		t.Fatalf("%+v", e)
	}
}

func TestBadOptionsAreRefusedByName(t *testing.T) {
	if _, err := New(Options{Extra: map[string]string{"tiemout": "1"}}); err == nil ||
		!strings.Contains(err.Error(), "timeout") {
		t.Fatal(err)
	}
	if _, err := New(Options{AuthorizationKey: "d3Jvbmc6d3Jvbmc=", Timeout: -time.Second}); err == nil ||
		!errors.Is(err, ErrConfiguration) {
		t.Fatal(err)
	}
}

func TestHealth(t *testing.T) {
	if took, err := client(t, nil).HealthCheck(soon(t)); err != nil || took <= 0 {
		t.Fatal(took, err)
	}
}

type own struct{}

func (own) Generate(_ context.Context, request json.RawMessage) (string, error) {
	if strings.Contains(string(request), "refuse") {
		return "", &Error{Status: 37, Kind: "rate_limit", Message: "full"}
	}
	return "mine", nil
}

func (own) Stream(context.Context, json.RawMessage) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		_ = yield("mi", nil) && yield("ne", nil)
	}
}

func TestAProviderOfTheProgramsOwnAnswersAloneAndInARouter(t *testing.T) {
	mine, err := NewProvider("mine", own{})
	if err != nil {
		t.Fatal(err)
	}
	defer mine.Close()
	if answer, err := mine.Generate(soon(t), "hello"); err != nil || answer != "mine" {
		t.Fatal(answer, err)
	}
	text := ""
	for piece, err := range mine.StreamText(soon(t), "hello") {
		if err != nil {
			t.Fatal(err)
		}
		text += piece
	}
	if text != "mine" {
		t.Fatal(text)
	}
	router, err := NewRouter(RouterOptions{Strategy: "first-available"})
	if err != nil {
		t.Fatal(err)
	}
	defer router.Close()
	if _, err := router.Add(mine, "", 1); err != nil {
		t.Fatal(err)
	}
	if _, err := router.Add(client(t, nil), "service", 1); err != nil {
		t.Fatal(err)
	}
	// The first member refuses; the second answers.
	if answer, err := router.Generate(soon(t), "repeat: refuse"); err != nil || answer != "refuse" {
		t.Fatal(answer, err)
	}
	if metrics, err := router.Metrics(); err != nil || !json.Valid(metrics) {
		t.Fatal(string(metrics), err)
	}
}

func TestWhatIsClosedIsFreed(t *testing.T) {
	runtime.GC()
	before := LiveHandles()
	c, err := FromEnv(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Generate(soon(t), "hello"); err != nil {
		t.Fatal(err)
	}
	c.Close()
	if _, err := c.Generate(soon(t), "hello"); err == nil {
		t.Fatal("a closed client answers")
	}
	if after := LiveHandles(); after > before {
		t.Fatalf("%d handles before, %d after", before, after)
	}
}
