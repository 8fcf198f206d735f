# The front door. Each goal says what it does, installs what it needs (scripts/bootstrap.sh) and can run on its own.

BUN := node_modules/.bin/bun
FUZZ_SECONDS ?= 60
MAKEFLAGS += --no-print-directory

.DEFAULT_GOAL := build
.PHONY: build demo test check bench fuzz test-kernel format generate clean help

build: ## compile the launcher and dist/rauha (does nothing when nothing changed)
	@scripts/bootstrap.sh build
	@$(BUN) scripts/build.ts

demo: build ## run this repository's unit tests in a zone, then a hostile script that is contained
	@$(BUN) scripts/demo.ts

test: ## build, check, and every test suite, as root and as an ordinary user
	@scripts/bootstrap.sh build check test kernel
	@$(BUN) scripts/build.ts
	@$(BUN) scripts/test.ts

check: ## format, lint, types, layers, sizes, generated files, lockfile; changes nothing
	@scripts/bootstrap.sh build check
	@$(BUN) scripts/check.ts

bench: build ## measure against other sandboxes; prints medians and ratios
	@scripts/bootstrap.sh build bench
	@$(BUN) bench/run.ts

fuzz: build ## feed the decoders hostile input for FUZZ_SECONDS (default 60)
	@RAUHA_FUZZ_SECONDS=$(FUZZ_SECONDS) $(BUN) test --timeout=$$((($(FUZZ_SECONDS) + 60) * 1000)) test/fuzz

test-kernel: ## the kernel suite, in a VM with Debian's kernel
	@scripts/bootstrap.sh build test kernel
	@$(BUN) scripts/build.ts
	@$(BUN) test/support/build-probe.ts >/dev/null
	@$(BUN) scripts/rig.ts test

format: ## rewrite the sources in the house style
	@scripts/bootstrap.sh build check
	@$(BUN) scripts/check.ts --fix

generate: ## write the generated files anew
	@scripts/bootstrap.sh build
	@$(BUN) scripts/generate.ts

clean: ## remove build/ and dist/
	rm -rf build dist

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' Makefile | expand -t 14
