# Every step of the continuous integration is a target here. Variables can be
# set on the command line: make unit RACE= PKGS=./controller/gate/...

GO          ?= go
PKGS        ?= ./...
# The race detector needs a C compiler.
RACE        ?= -race
RUN         ?=
TIMEOUT     ?= 10m
E2E_TIMEOUT ?= 40m
# Cases mostly wait, so more of them run at once than there are processors. Four
# keep two processors so busy that reads take longer than facts stay fresh.
E2E_PARALLEL ?= 3
SOAK        ?= 10
SOAK_RUN    ?= ^TestLossless$$
SOAK_TIMEOUT ?= 12h
# Deploys of make soak-fence, and what it runs: its rows come first.
SOAK_FENCE     ?= 100
SOAK_FENCE_RUN ?= ^(TestFence|TestFenceSoak)$$
# Deploys of make soak-park in a row, and what it runs; the row alone is ^TestPark$$/^one_after.
SOAK_PARK     ?= 20
SOAK_PARK_RUN ?= ^Test(Park|Pause)
BENCHTIME   ?= 1s
FUZZTIME    ?= 10s
# What make compare compares, all if empty, how long each request takes, and the
# Caddy that it runs.
WAYS        ?=
SLEEP       ?= 0s
CADDY       ?=
# One row of the matrix, and how often: make faults FAULTS=leader_killed COUNT=3
FAULTS      ?=
COUNT       ?= 1
MUTANTS     ?=
BIN         ?= bin
VERSION     ?= $(shell git describe --tags --always --dirty 2>/dev/null)

# Every package that has tests for the real stack.
E2E_PKGS     = $(shell hack/e2e-packages.sh)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help build test unit e2e demo compare dist soak soak-fence soak-park faults mutants bench check fuzz binaries clean

help: ## show this list
	@awk 'BEGIN { FS = ":.*## " } /^[a-z0-9-]+:.*## / { printf "  \033[1m%-10s\033[0m %s\n", $$1, $$2 }' $(MAKEFILE_LIST) | \
		if [ -t 1 ] && [ -z "$$NO_COLOR" ]; then cat; else sed 's/\x1b\[[0-9;]*m//g'; fi

build: ## build bin/draingate
	$(GO) build -trimpath -ldflags "-X main.version=$(VERSION)" -o $(BIN)/draingate ./cmd/draingate

test: unit e2e ## unit, property and end-to-end tests, the last on the real stack; nothing is skipped

unit: ## unit and property tests
	$(GO) test $(RACE) -timeout $(TIMEOUT) $(if $(RUN),-run '$(RUN)') $(PKGS)

e2e: ## end-to-end tests on real Nomad, Consul and Traefik
	@test -n "$(E2E_PKGS)" || { echo "e2e: no package has tests for the real stack" >&2; exit 1; }
	GO=$(GO) hack/with-binaries.sh hack/test-e2e.sh $(E2E_PKGS) -- -tags e2e -count=1 -v -parallel $(E2E_PARALLEL) -timeout $(E2E_TIMEOUT) $(if $(RUN),-run '$(RUN)')

demo: ## show three deploys, with and without draingate, on the real stack
	$(GO) run ./e2e/demo

compare: build ## deploy a single writer behind Caddy, kamal-proxy, Traefik and draingate, and print what each lost; needs caddy in PATH or CADDY=path
	$(GO) run ./e2e/compare -caddy '$(CADDY)' -draingate $(BIN)/draingate -ways '$(WAYS)' -sleep $(SLEEP) -count $(COUNT)

soak: ## repeat the lossless cases of the end-to-end tests SOAK times
	DRAINGATE_SOAK=$(SOAK) GO=$(GO) hack/with-binaries.sh $(GO) test -tags e2e -count=1 -v -p 1 -parallel $(E2E_PARALLEL) -timeout $(SOAK_TIMEOUT) $(if $(SOAK_RUN),-run '$(SOAK_RUN)') ./e2e

soak-fence: ## every row of fenced deploys, and then SOAK_FENCE of them one after another under constant load; about two hours
	DRAINGATE_FENCE=all DRAINGATE_SOAK_FENCE=$(SOAK_FENCE) GO=$(GO) hack/with-binaries.sh $(GO) test -tags e2e -count=1 -v -p 1 -parallel $(E2E_PARALLEL) -timeout $(SOAK_TIMEOUT) $(if $(SOAK_FENCE_RUN),-run '$(SOAK_FENCE_RUN)') ./e2e

soak-park: ## every row of parked deploys and what ends them, and SOAK_PARK of them one after another under 200 requests a second; about half an hour
	DRAINGATE_PARK=all DRAINGATE_SOAK_PARK=$(SOAK_PARK) GO=$(GO) hack/with-binaries.sh $(GO) test -tags e2e -count=$(COUNT) -v -p 1 -parallel $(E2E_PARALLEL) -timeout $(SOAK_TIMEOUT) -run '$(SOAK_PARK_RUN)' ./e2e

faults: ## break every part at every moment of a deploy, and print what became of each; about an hour
	DRAINGATE_FAULTS=all GO=$(GO) hack/with-binaries.sh $(GO) test -tags e2e -count=$(COUNT) -v -p 1 -parallel $(E2E_PARALLEL) -timeout $(SOAK_TIMEOUT) -run '$(if $(FAULTS),^TestFaults$$/$(FAULTS),^(TestFaults|TestDrainedWhileItWaits)$$)' ./e2e

mutants: ## remove each guard in turn and see that the tests notice
	$(GO) run ./hack/mutants -reasons controller/gate $(if $(MUTANTS),-run '$(MUTANTS)')

bench: ## run the benchmarks
	$(GO) test -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) $(PKGS)

check: ## formatting, vet, import directions, documents, modules; golangci-lint where it is installed
	hack/verify-format.sh
	$(GO) vet -tags e2e ./...
	$(GO) test -count=1 ./controller
	hack/verify-docs.sh
	hack/verify-noskip.sh
	$(GO) mod verify
	hack/lint.sh

fuzz: ## fuzz every target for FUZZTIME
	FUZZTIME=$(FUZZTIME) hack/fuzz.sh $(PKGS)

binaries: ## find or install the pinned Nomad, Consul and Traefik
	$(GO) run ./e2e/cmd/binaries

dist: ## build the release into dist/: static binaries, bills of materials, checksums
	GO=$(GO) VERSION='$(VERSION)' hack/dist.sh

clean: ## remove what make built
	rm -rf $(BIN) dist coverage.out
