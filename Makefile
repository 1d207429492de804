.DEFAULT_GOAL := help
.PHONY: bench help demo run test test-boot torture lint fmt build pictures docs clients golden screenshot check

TOOL := go tool -modfile=tools/go.mod
# "go run" ends with status 1 after Ctrl+C, however the program ended.
PROGRAM := @go build -buildvcs=false -o bin/gistdeal-dev ./cmd/gistdeal && exec bin/gistdeal-dev
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null)

help: ## show these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## the whole product against simulated GitHub and Pipedrive; needs no account
	$(PROGRAM) demo

run: ## the daemon, configured by the environment
	$(PROGRAM) serve

test: ## all tests, with the race detector; REQUIRE_ALL=1 makes a skip a failure
	@scripts/test.sh

test-boot: ## two machines with systemd boot at once, as infra/ has them, and one loses power; needs root (docs/startup.md)
	@scripts/test.sh -tags=boot -count=1 -run '^TestTwoSystemsBoot' ./infra/boottest

bench: ## every benchmark, for about 20 minutes; writes the table in docs/performance.md; ARGS=./internal/store measures one package
	@scripts/bench.sh $(ARGS)

torture: ## 10,000 kills and freezes, and 1,000 with webhooks; ARGS="-seed 7 -points 500" changes that, ARGS=-h lists all
	go run ./cmd/torture $(ARGS)
	$(if $(ARGS),,go run ./cmd/torture -outbox -points 1000)

lint: ## all linters, formats and go.mod too
	@scripts/lint.sh

fmt: ## format all Go files
	$(TOOL) golangci-lint fmt

build: ## a static binary: bin/gistdeal
	CGO_ENABLED=0 go build -trimpath -buildvcs=false \
		-ldflags "-s -w $(if $(VERSION),-X main.version=$(VERSION))" -o bin/gistdeal ./cmd/gistdeal

pictures: ## docs/*.svg from docs/*.dot; needs Graphviz
	for name in docs/*.dot; do dot -Tsvg -o "$${name%.dot}.svg" "$$name" || exit; done

docs: ## docs/cli.md and contrib/gistdeal.1 from the command line's own definitions
	go test ./cmd/gistdeal -run '^TestTheManual' -count=1 -update

clients: ## client/: the published document, and the Go and TypeScript clients from it; needs npm
	go test ./internal/api -run '^TestThePublishedDocumentIsTheServedOne$$' -count=1 -update
	cd client && go tool -modfile=../tools/go.mod oapi-codegen -config oapi-codegen.yaml openapi.json
	cd client/typescript && npm ci --ignore-scripts --no-audit --no-fund && npm run generate

golden: ## infra/golden: the configuration, plans and user data that a review compares with
	go test ./infra/goldentest -run 'ReviewedOne' -count=1 -update

screenshot: ## docs/screenshot.png from the demo; needs Chromium
	REQUIRE_ALL=1 go test ./e2e -run '^TestTheOverviewOfTheDemoCounts48Deals$$' -count=1 -args -screenshot=$(CURDIR)/docs/screenshot.png

check: lint test ## everything a change must pass
