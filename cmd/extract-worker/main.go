// Command extract-worker turns documents and addresses into text per page.
package main

import (
	"context"
	"os"

	"generalbackend/internal/app"
	"generalbackend/internal/config"
	"generalbackend/internal/extraction"
	"generalbackend/internal/queue"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == extraction.SandboxArgument {
		extraction.RunSandboxChild()
	}
	app.Main("extract-worker", config.Worker, run)
}

func run(ctx context.Context, rt *app.Runtime) error {
	stores, err := rt.OpenStores(ctx, queue.Options{})
	if err != nil {
		return err
	}
	defer stores.Close()
	extract, stop := app.NewWorkers(rt, stores).Extract()
	defer stop()
	return rt.RunParts(ctx, rt.Watch(), extract)
}
