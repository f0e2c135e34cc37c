# Two doors for newcomers: `make demo` and `make test`. Everything else is meson.
# BUILD=dir chooses another build folder, ARGS='...' goes to meson setup.
BUILD ?= build
PREFIX ?= /usr/local
JOBS ?= $(shell nproc)

.PHONY: all demo test install clean ci deps

all: deps $(BUILD)/build.ninja
	@ninja -C $(BUILD) -j$(JOBS)

# Installs what is missing; when nothing is, it is done in a moment.
deps:
	@sh tools/install-deps.sh build demo

$(BUILD)/build.ninja: | deps
	@meson setup $(BUILD) --prefix=$(PREFIX) $(ARGS)

# A film of a person, with a new voice: out/demo.mp4 and out/demo.png.
demo: all
	@sh tools/demo.sh $(BUILD)

test: all
	@sh tools/install-deps.sh test
	@meson test -C $(BUILD) --no-rebuild --print-errorlogs --num-processes $(JOBS)

install: all
	@meson install -C $(BUILD) --no-rebuild

clean:
	@rm -rf $(BUILD) out

ci:
	@bash .ci/run
