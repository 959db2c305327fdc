// Command gen writes the published description of the HTTP API to the file
// named by its argument.
package main

import (
	"fmt"
	"os"

	"generalbackend/internal/api"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("want one argument, the file to write")
	}
	description, err := api.OpenAPI()
	if err != nil {
		return err
	}
	return os.WriteFile(args[0], description, 0o644) //nolint:gosec // it is published
}
