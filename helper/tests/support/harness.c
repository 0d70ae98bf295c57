// SPDX-License-Identifier: GPL-2.0
/*
 * The helper, run against a kernel that is a fake. One helper at a time, with a
 * folder of its own.
 */
#include "tests/support/harness.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/ca.h"
#include "common/template.h"
#include "supervisor/supervisor.h"
#include "tests/support/fake_tls.h"
#include "tests/support/mail.h"

char *database;
char *dir;
struct ss_conf conf;
char *ca_path;
int peers[2];
pid_t helper;
static char *log_path, *tmp_path;

char *path(const char *name)
{
	return mail_format("%s/%s", dir, name);
}

char *read_file(const char *name)
{
	char *p = path(name), *text = calloc(1, 1 << 16);
	int fd = open(p, O_RDONLY);

	if (fd >= 0) {
		assert_true(read(fd, text, (1 << 16) - 1) >= 0);
		close(fd);
	}
	free(p);
	return text;
}

int count_lines(const char *name)
{
	char *text = read_file(name);
	int n = 0;

	for (char *s = text; (s = strchr(s, '\n')); s++)
		n++;
	free(text);
	return n;
}

bool said(const char *what)
{
	char *text = read_file("stderr");
	bool is = strstr(text, what);

	free(text);
	return is;
}

/* The number @n record of the log */
struct json_object *record(int n)
{
	char *text = read_file("av.log"), *line = text;
	struct json_object *obj;

	while (n--)
		line = strchr(line, '\n') + 1;
	*strchr(line, '\n') = '\0';
	obj = json_tokener_parse(line);
	assert_non_null(obj);
	free(text);
	return obj;
}

const char *field(struct json_object *obj, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(obj, key, &value) ?
	       json_object_get_string(value) : "(none)";
}

int children_of(pid_t pid, const char *name, pid_t list[MAX_CHILDREN])
{
	char file[64], comm[32];
	int n = 0, child;
	FILE *f;

	snprintf(file, sizeof(file), "/proc/%d/task/%d/children", pid, pid);
	f = fopen(file, "r");
	while (f && n < MAX_CHILDREN && fscanf(f, "%d", &child) == 1) {
		FILE *c;

		snprintf(file, sizeof(file), "/proc/%d/comm", child);
		c = fopen(file, "r");
		if (c && fscanf(c, "%31s", comm) == 1 && !strcmp(comm, name))
			list[n++] = child;
		if (c)
			fclose(c);
	}
	if (f)
		fclose(f);
	return n;
}

pid_t scanner_pid(void)
{
	pid_t list[MAX_CHILDREN];

	return children_of(helper, "ss-scanner", list) ? list[0] : 0;
}

int workers(pid_t list[MAX_CHILDREN])
{
	pid_t parent = scanner_pid();

	return parent ? children_of(parent, "ss-worker", list) : 0;
}

void signal_workers(int sig)
{
	pid_t list[MAX_CHILDREN];

	wait_for(workers(list) == WORKERS);
	for (int i = 0; i < WORKERS; i++)
		kill(list[i], sig);
}

void start(void)
{
	char *err = path("stderr");
	pid_t parent = getpid();

	helper = fork();
	if (!helper) {
		int fd = open(err, O_WRONLY | O_CREAT | O_APPEND, 0600);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
		dup2(fd, STDERR_FILENO);
		_exit(ss_supervisor_run(&conf));
	}
	free(err);
}

void start_ready(void)
{
	pid_t list[MAX_CHILDREN];

	start();
	wait_for(atomic_load(&fake->registered));
	wait_for(workers(list) == WORKERS);
}

int end(int sig)
{
	int status;

	if (sig)
		kill(helper, sig);
	assert_int_equal(waitpid(helper, &status, 0), helper);
	return status;
}

struct fake_request *queue(int n, char *text, uint32_t timeout)
{
	struct fake_request *req = &fake->req[n];

	req->size = strlen(text);
	req->fd = n + 100;	/* a number that the helper has as well */
	req->timeout = timeout;
	assert_int_equal(pwrite(req->fd, text, req->size, 0), req->size);
	free(text);
	atomic_store(&req->state, FAKE_QUEUED);
	return req;
}

bool answered(const struct fake_request *req)
{
	return atomic_load(&req->state) == FAKE_ANSWERED;
}

char *clean(void)
{
	return mail_format("From: a@example.net\r\nSubject: cle\xff" "an\r\n\r\nHello\r\n");
}

char *infected(void)
{
	return mail_attachment("", "Content-Disposition: attachment; filename=eicar.com\r\n");
}

bool gone(pid_t pid)
{
	return kill(pid, 0) && errno == ESRCH;
}

/* How many descriptors a process has whose names in /proc begin with @name */
int count_fds(pid_t pid, const char *name)
{
	char file[64], have[PATH_MAX];
	struct dirent *entry;
	int n = 0;
	DIR *d;

	snprintf(file, sizeof(file), "/proc/%d/fd", pid);
	d = opendir(file);
	assert_non_null(d);
	while ((entry = readdir(d))) {
		ssize_t len = readlinkat(dirfd(d), entry->d_name, have, sizeof(have) - 1);

		have[len > 0 ? len : 0] = '\0';
		n += !strncmp(have, name, strlen(name));
	}
	closedir(d);
	return n;
}

/* Its sockets, but for those that all processes of a test have */
int count_sockets(pid_t pid)
{
	return count_fds(pid, "socket:") - count_fds(getpid(), "socket:");
}

void make_ca(void)
{
	char err[256];

	assert_int_equal(ss_ca_create(ca_path, &(struct ss_ca_names){}, err, sizeof(err)), 0);
}

int setup(void **state)
{
	char octets[64];

	(void)state;
	memset(fake->req, 0, sizeof(fake->req));
	memset(fake->hs, 0, sizeof(fake->hs));
	memset(fake_tls, 0, sizeof(*fake_tls));
	fake_tls->answer.result = SMTPSPLICE_TLS_RESULT_INSPECTED;
	atomic_store(&fake->roles, 0);
	atomic_store(&fake->refuse, false);
	atomic_store(&fake->tls_bell, false);
	atomic_store(&fake->handed, 0);
	for (int i = 0; i < 2; i++)
		while (recv(peers[i], octets, sizeof(octets), MSG_DONTWAIT) > 0)
			;
	atomic_store(&fake->registered, 0);
	atomic_store(&fake->busy, false);
	atomic_store(&fake->late, false);
	dir = strdup("/tmp/smtpsplice-test.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	log_path = path("av.log");
	tmp_path = path("tmp");
	ca_path = path("ca");
	conf = (struct ss_conf){
		.database = database, .log = log_path, .tmpdir = tmp_path,
		.reply = ss_template_default(SS_CAUSE_VIRUS), .workers = WORKERS,
		.ca_dir = ca_path,
	};
	return mkdir(tmp_path, 0700);
}

int teardown(void **state)
{
	(void)state;
	if (helper > 0 && !kill(helper, 0) && !waitpid(helper, NULL, WNOHANG)) {
		kill(helper, SIGKILL);
		waitpid(helper, NULL, 0);
	}
	ss_process_remove_tree(dir);
	free(log_path);
	free(tmp_path);
	free(ca_path);
	free(dir);
	return 0;
}

/* The ends that are handed out have numbers which the helper knows */
static int make_sockets(void)
{
	for (int i = 0; i < 2; i++) {
		int pair[2];

		if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) ||
		    dup2(pair[0], i ? FAKE_SERVER_FD : FAKE_CLIENT_FD) < 0)
			return -1;
		close(pair[0]);
		peers[i] = pair[1];
	}
	return 0;
}

int group_setup(void **state)
{
	(void)state;
	fake_make();
	fake_tls_make();
	if (make_sockets())
		return -1;
	database = mail_database();
	for (int i = 0; i < FAKE_REQUESTS; i++) {
		int fd = mail_file("", 0);

		if (dup2(fd, i + 100) < 0)
			return -1;
		close(fd);
	}
	return 0;
}

int group_teardown(void **state)
{
	(void)state;
	mail_remove_database(database);
	return 0;
}
