// Command embed-worker turns text into chunks and chunks into vectors, and all of
// them into another space when the model changes.
package main

import (
	"context"

	"generalbackend/internal/app"
	"generalbackend/internal/config"
	"generalbackend/internal/queue"
)

func main() { app.Main("embed-worker", config.Worker, run) }

func run(ctx context.Context, rt *app.Runtime) error {
	stores, err := rt.OpenStores(ctx, queue.Options{})
	if err != nil {
		return err
	}
	defer stores.Close()
	models, err := rt.NewModels(ctx, stores)
	if err != nil {
		return err
	}
	embedder := app.NewEmbedder(stores.Postgres, models, rt.Config)
	defer embedder.Close()
	workers := app.NewWorkers(rt, stores)
	return rt.RunParts(ctx, rt.Watch(), workers.Reembed(embedder), workers.Embed(embedder))
}
