# SPDX-License-Identifier: GPL-2.0

PREFIX	?= /usr
KDIR	?= /lib/modules/$(shell uname -r)/build
export PREFIX

help_text = \
	'all      the helper, and the module where the headers are installed (default)' \
	'module   the kernel module for the running kernel, or for KDIR=...' \
	'helper   smtpspliced and smtpsplice, into build/helper/' \
	'install  both, below DESTDIR and PREFIX ($(PREFIX))' \
	'check    all tests (scripts/check; "make check ARGS=--quick" for the inner loop)' \
	'demo     one clean and one infected mail through a gateway in a VM' \
	'style    what checkpatch, sparse, cppcheck, clang-tidy and shellcheck have to say' \
	'gen      regenerate the netlink code from uapi/smtpsplice.yaml' \
	'clean    remove what was built here (not the cache of kernels)'

all: helper $(if $(wildcard $(KDIR)/Makefile),module,no-headers)

# kbuild leaves its files beside what it compiles, so it gets a copy.
MODULE := $(CURDIR)/build/kmod/host
module:
	@mkdir -p $(MODULE)
	@cp -ru Kbuild kmod uapi $(MODULE)/
	$(MAKE) -C $(KDIR) M=$(MODULE) modules

no-headers:
	@echo "no kernel headers in $(KDIR): only the helper was built (see KDIR in make help)"

helper:
	$(MAKE) -C helper

install: install-helper install-module
install-helper: helper
	$(MAKE) -C helper install
install-module: module
	$(MAKE) -C $(KDIR) M=$(MODULE) INSTALL_MOD_PATH=$(DESTDIR) INSTALL_MOD_DIR=updates modules_install

check demo style gen:
	./scripts/$@ $(ARGS)

clean:
	rm -rf build

help:
	@printf '%s\n' $(help_text)

.PHONY: all module no-headers helper install install-helper install-module check demo style gen clean help
