package e2e_test

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// contract is the published description, as far as it lists codes.
type contract struct {
	Paths map[string]map[string]struct {
		Responses map[string]struct {
			Codes []string `json:"x-codes"`
		}
	}
}

func published(t testing.TB, base string) contract {
	t.Helper()
	var c contract
	visitor(t, base).must(http.StatusOK, "GET", "/openapi.json", nil).into(t, &c)
	if len(c.Paths) == 0 {
		t.Fatal("the description lists no paths")
	}
	return c
}

// lists reports whether the description says that an operation may answer so.
// Addresses that are not described are not its business.
func (c contract) lists(method, path string, status int, code string) bool {
	path, _, _ = strings.Cut(path, "?")
	described := false
	for template, operations := range c.Paths {
		operation, ok := operations[strings.ToLower(method)]
		if !ok || !fits(template, path) {
			continue
		}
		described = true
		if slices.Contains(operation.Responses[strconv.Itoa(status)].Codes, code) {
			return true
		}
	}
	return !described
}

func fits(template, path string) bool {
	want, got := strings.Split(template, "/"), strings.Split(path, "/")
	return slices.EqualFunc(want, got, func(w, g string) bool { return w == g || strings.HasPrefix(w, "{") })
}
