// Command api is the HTTP edge and the dispatcher of jobs.
package main

import (
	"context"

	"generalbackend/internal/app"
	"generalbackend/internal/config"
	"generalbackend/internal/queue"
)

func main() { app.Main("api", config.API, run) }

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
	edge, err := rt.NewEdge(ctx, stores, models, embedder)
	if err != nil {
		return err
	}
	defer edge.Close()
	return rt.RunParts(ctx, rt.Watch(), rt.Dispatch(stores), edge.Upkeep(), edge.Mail(), edge.Serve(nil))
}
