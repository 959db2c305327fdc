# `make help` lists the targets. The first two a newcomer needs: run, test.

SHELL := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
.NOTPARALLEL:

# gin without a MessagePack codec that nobody asks for: half the binary.
export GOFLAGS := $(strip $(shell go env GOFLAGS 2>/dev/null) -tags=nomsgpack)
export PATH := $(CURDIR)/.bin:$(PATH)

LINT := deploy/lint/node_modules/.bin
GENERATED = git ls-files --cached --others --exclude-standard '*.gen.go' '*.gen.ts' schema/openapi.yaml

# Where tests read a corpus. The race detector makes these ten times slower and
# has nothing to find in them.
CORPUS = $(sort $(dir $(shell grep -rlE '^func Test[A-Za-z]*Corpus' --include='*_test.go' ./internal)))

.PHONY: help
help: ## list the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

.PHONY: setup
setup: ## install what building, testing and running need
	@deploy/setup.sh
	@command -v npm >/dev/null || { echo "npm is missing: install Node.js 20 or later"; exit 1; }
	@cd deploy/lint && { cmp -s package-lock.json node_modules/.installed || \
		{ npm ci --ignore-scripts --no-fund --no-audit --loglevel=error >/dev/null && cp package-lock.json node_modules/.installed; }; }

.PHONY: build
build: ## build every program into bin/
	go build -o bin/ ./cmd/... ./deploy/private-postgres

.PHONY: run
run: ## start everything in one process on PORT (8000), data in DATA_DIR (./data)
	@deploy/setup.sh run
	@go build -o bin/ ./cmd/standalone
	@exec bin/standalone

.PHONY: split
split: setup build ## start everything as separate processes, as compose would
	@exec deploy/split.sh

.PHONY: generate
generate: ## write the generated code anew
	sqlc generate -f internal/postgres/sqlc.yaml
	go generate ./...

.PHONY: verify
verify: ## check that the generated code is what the generators write
	@before=$$($(GENERATED) | xargs sha256sum); \
	$(MAKE) generate >/dev/null || exit 1; \
	after=$$($(GENERATED) | xargs sha256sum); \
	[ "$$before" = "$$after" ] || { echo "the generated code was not up to date; commit what \`make generate\` has now written:"; git status --short; exit 1; }

.PHONY: lint
lint: lint-deploy ## check style, the import order, scripts and container files
	golangci-lint run ./...
	@cd bench && golangci-lint run ./...

.PHONY: lint-deploy
lint-deploy:
	@shellcheck --shell=sh --exclude=SC2317 deploy/*.sh internal/postgres/postgrestest/watch.sh
	@shellcheck .ci/run
	@$(LINT)/dclint --config deploy/lint/dclint.json --max-warnings 0 docker-compose.yml
	@$(LINT)/dockerfile-utils lint deploy/Dockerfile
	@$(LINT)/dockerfilelint deploy/Dockerfile >/dev/null || $(LINT)/dockerfilelint deploy/Dockerfile

.PHONY: test
test: setup verify lint race ## set up and check everything: what CI runs

.PHONY: race
race: ## run all tests, with the race detector but for those that only read through a corpus
	@go test -race -timeout 25m -skip Corpus ./... && go test -timeout 25m -run Corpus $(CORPUS); \
		status=$$?; $(MAKE) test-postgres-stop; exit $$status

.PHONY: test-postgres-stop
test-postgres-stop: # ends the tests' Postgres, unless other tests are using it
	@dir=$${TEST_DATA_DIR:-$${TMPDIR:-/tmp}/generalbackend-test-$$(id -u)}; \
	[ ! -f "$$dir/postgres/data/postmaster.pid" ] || \
	flock -n "$$dir/users" sh -c 'kill -INT $$(head -n 1 "$$1")' stop "$$dir/postgres/data/postmaster.pid" || true

.PHONY: e2e
e2e: ## run the whole-system tests alone; ARGS go to the test binary
	go test -count=1 -timeout 60m -v ./internal/e2e/... $(if $(ARGS),-args $(ARGS))

.PHONY: bench
bench: setup build ## measure against peers; ARGS go to the program
	go run -C bench -mod=mod . $(ARGS)

.PHONY: clean
clean: ## remove what was built; data and tools stay
	rm -rf bin coverage.out deploy/lint/node_modules
