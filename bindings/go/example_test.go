package gigachat_test

import (
	"context"
	"fmt"

	gigachat "github.com/libgigachat/libgigachat/bindings/go"
)

func Example() {
	client, err := gigachat.FromEnv(nil)
	if err != nil {
		panic(err)
	}
	defer client.Close()
	answer, err := client.Generate(context.Background(), "repeat: hello")
	if err != nil {
		panic(err)
	}
	fmt.Println(answer)
	// Output: hello
}

func ExampleProvider_StreamText() {
	client, err := gigachat.FromEnv(nil)
	if err != nil {
		panic(err)
	}
	defer client.Close()
	for piece, err := range client.StreamText(context.Background(), "repeat: part by part") {
		if err != nil {
			panic(err)
		}
		fmt.Print(piece)
	}
	fmt.Println()
	// Output: part by part
}
