package api

//go:generate go run ./gen ../../schema/openapi.yaml
