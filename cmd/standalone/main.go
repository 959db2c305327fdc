// Command standalone runs everything in one process: the API, the dispatcher,
// all stages, an embedded NATS server and a private Postgres cluster.
package main

import (
	"context"
	"fmt"
	"net"
	"os"

	"generalbackend/internal/app"
	"generalbackend/internal/config"
	"generalbackend/internal/extraction"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == extraction.SandboxArgument {
		extraction.RunSandboxChild()
	}
	app.Main("standalone", config.Standalone, run)
}

func run(ctx context.Context, rt *app.Runtime) error {
	made, err := rt.EnsureSecrets()
	if err != nil {
		return err
	}
	servers, err := rt.StartServers(ctx)
	if err != nil {
		return err
	}
	defer servers.Stop()
	stores, err := rt.OpenStores(ctx, servers.QueueOptions())
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
	edge, err := rt.NewEdge(ctx, stores, models, embedder)
	if err != nil {
		return err
	}
	defer edge.Close()
	workers := app.NewWorkers(rt, stores)
	extract, stopExtract := workers.Extract()
	defer stopExtract()
	return rt.RunParts(ctx, rt.Dispatch(stores), extract, workers.Reembed(embedder), workers.Embed(embedder), workers.Match(models, search), workers.Chat(models, search), workers.Story(models),
		edge.Upkeep(), edge.Mail(), edge.Serve(func(addr net.Addr) { welcome(rt, addr, made) }))
}

// welcome tells a person at the terminal where to go and how to get in.
func welcome(rt *app.Runtime, addr net.Addr, madePassword bool) {
	port := addr.(*net.TCPAddr).Port
	fmt.Printf("\nGeneral Backend is ready: http://localhost:%d\n", port)
	fmt.Printf("  API description  http://localhost:%d/docs\n", port)
	if madePassword {
		fmt.Printf("  administrator    %s, password in %s\n", rt.Config.Accounts.AdminEmail, rt.Config.SecretsPath())
	} else {
		fmt.Printf("  administrator    %s\n", rt.Config.Accounts.AdminEmail)
	}
	fmt.Printf("  language model   %s\n  stop with        Ctrl-C\n\n", rt.Config.Models.LLMProvider)
}
