package gigachat

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"testing"
	"time"
)

const exitVariable = "GIGACHAT_TEST_ENDS_BY"

func TestMain(m *testing.M) {
	if how := os.Getenv(exitVariable); how != "" {
		endBy(how)
		return
	}
	os.Exit(m.Run())
}

// endBy is a program that ends with five calls and a stream in flight.
func endBy(how string) {
	client, err := FromEnv(&Options{MaxConcurrency: Ptr(0)})
	if err != nil {
		panic(err)
	}
	slow := Prompt("never")
	slow.Call.Headers = map[string]string{"X-Emulator-Fault": `{"type":"delay_headers","ms":60000}`}
	for range 5 {
		go client.Chat(context.Background(), slow)
	}
	for event, err := range client.Stream(context.Background(), Prompt("count to 50")) {
		if err != nil {
			panic(err)
		}
		if event.Kind != EventText {
			continue
		}
		switch how {
		case "return":
			return
		case "os.Exit":
			os.Exit(7)
		case "panic":
			panic("boom")
		}
	}
}

func TestAProgramThatEndsWithCallsInFlightKeepsItsExitCode(t *testing.T) {
	client(t, nil)
	for how, code := range map[string]int{"return": 0, "os.Exit": 7, "panic": 2} {
		t.Run(how, func(t *testing.T) {
			for range 3 {
				ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
				program := exec.CommandContext(ctx, os.Args[0])
				program.Env = append(os.Environ(), exitVariable+"="+how)
				said, err := program.CombinedOutput()
				cancel()
				got := 0
				var exit *exec.ExitError
				if errors.As(err, &exit) {
					got = exit.ExitCode()
				} else if err != nil {
					t.Fatal(err)
				}
				if got != code {
					t.Fatal(fmt.Sprintf("exit code %d, not %d\n%s", got, code, said))
				}
			}
		})
	}
}

func TestAClientThatNobodyHoldsIsFreed(t *testing.T) {
	client(t, nil)
	before := LiveHandles()
	for range 50 {
		if _, err := FromEnv(nil); err != nil {
			t.Fatal(err)
		}
	}
	for end := time.Now().Add(30 * time.Second); LiveHandles() > before && time.Now().Before(end); {
		runtime.GC()
		time.Sleep(10 * time.Millisecond)
	}
	if after := LiveHandles(); after > before {
		t.Fatalf("%d handles before, %d after", before, after)
	}
}
