// Package e2e tests the product as it is run: the built programs as processes
// of their own, over a NATS server and a PostgreSQL that are processes too, so
// that each can be killed at any instruction.
package e2e
