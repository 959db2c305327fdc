// Command private-postgres runs a private PostgreSQL cluster until it is told to
// stop, so that separate processes have a database without installing one.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"generalbackend/internal/postgres/cluster"
)

func main() {
	dir := flag.String("dir", "data/postgres", "where the cluster lives")
	addressFile := flag.String("address-file", "", "where to write the database's address once it answers")
	flag.Parse()
	if err := run(*dir, *addressFile); err != nil {
		fmt.Fprintln(os.Stderr, "private-postgres:", err)
		os.Exit(1)
	}
}

func run(dir, addressFile string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	c, err := cluster.Start(ctx, cluster.Config{Dir: dir, Log: slog.Default()})
	if err != nil {
		return err
	}
	if addressFile != "" {
		err = os.WriteFile(addressFile, []byte(c.DSN("")), 0o600)
	}
	if err == nil {
		<-ctx.Done()
	}
	if e := c.Stop(context.WithoutCancel(ctx)); e != nil {
		return e
	}
	return err
}
