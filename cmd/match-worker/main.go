// Command match-worker does what asks a language model: it compares applicants
// with postings and answers questions.
package main

import (
	"context"

	"generalbackend/internal/app"
	"generalbackend/internal/config"
	"generalbackend/internal/queue"
)

func main() { app.Main("match-worker", config.Worker, run) }

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
	search := app.NewSearch(stores.Postgres, embedder, rt.Log)
	workers := app.NewWorkers(rt, stores)
	return rt.RunParts(ctx, rt.Watch(), workers.Match(models, search), workers.Chat(models, search), workers.Story(models))
}
