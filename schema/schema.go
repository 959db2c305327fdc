// Package schema embeds the three contracts of the product: the SQL
// migrations, the schemas of the messages and the published HTTP description.
package schema

import "embed"

// Migrations holds migrations/*.sql in goose's format.
//
//go:embed migrations/*.sql
var Migrations embed.FS

// Events holds events/*.json, the JSON Schemas of the messages on NATS.
//
//go:embed events/*.json
var Events embed.FS
