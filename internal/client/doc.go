// Package client calls the HTTP API. It is generated from schema/openapi.yaml.
package client

//go:generate oapi-codegen -config oapi-codegen.yaml ../../schema/openapi.yaml
