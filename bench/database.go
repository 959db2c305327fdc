package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"generalbackend/internal/postgres/cluster"
	"generalbackend/internal/queue/embedded"
	"github.com/jackc/pgx/v5"
)

// startPostgres runs a private cluster with the settings of production: what is
// committed is on the disk.
func startPostgres(ctx context.Context, b *bench) (*cluster.Cluster, error) {
	return cluster.Start(ctx, cluster.Config{Dir: filepath.Join(b.dir, "postgres")})
}

// startStores starts Postgres and NATS for a scenario of processes and returns the
// settings that lead there.
func startStores(ctx context.Context, b *bench, name string) (settings []string, stop func() error, err error) {
	server, err := startPostgres(ctx, b)
	if err != nil {
		return nil, nil, err
	}
	halt := func() error { return server.Stop(context.WithoutCancel(ctx)) }
	port, err := freePort(ctx)
	if err != nil {
		return nil, nil, errors.Join(err, halt())
	}
	broker, err := embedded.Start(filepath.Join(b.dir, name+"-nats"), port)
	if err != nil {
		return nil, nil, errors.Join(err, halt())
	}
	settings = []string{"DATABASE_URL=" + server.DSN(""), fmt.Sprintf("NATS_URL=nats://127.0.0.1:%d", port)}
	return settings, func() error { broker.Stop(); return halt() }, nil
}

// newDatabase makes an empty database and returns its address and what removes it.
func newDatabase(ctx context.Context, c *cluster.Cluster, name string) (dsn string, drop func() error, err error) {
	quoted := pgx.Identifier{name}.Sanitize()
	if err := execute(ctx, c.DSN("postgres"), "CREATE DATABASE "+quoted); err != nil {
		return "", nil, fmt.Errorf("create database %s: %w", name, err)
	}
	return c.DSN(name), func() error {
		return execute(context.WithoutCancel(ctx), c.DSN("postgres"), "DROP DATABASE "+quoted+" WITH (FORCE)")
	}, nil
}

func execute(ctx context.Context, dsn, sql string) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	_, err = conn.Exec(ctx, sql)
	return err
}
