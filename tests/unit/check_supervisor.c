/* SPDX-License-Identifier: ISC */
/*
 * A supervisor and its children, without root: this program again, under the names "alpha" and
 * "beta", which tell what they see and do what they are told.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <tund/ipc/parent.h>
#include <tund/sys/channel.h>
#include <tund/sys/clock.h>

#include "parent/supervisor.h"

#include "tap.h"

enum { ALPHA, BETA, CHILDREN };

/* From parent to child beside the real ones: its number, a parameter, and an order. */
enum { TOLD_FIRST = 100, TOLD_SECOND, TOLD_ORDER };

/* From child to parent. */
enum { SAW = 1, HEARD, ALPHA_ASKS, BETA_ASKS, SAYS_LATE, VERBS };

enum order { LIVE, DIE, BE_DEAF, ASK_OWN, ASK_OTHERS, ASK_WRONG_SIZE, ASK_WITH_FD, ASK_UNKNOWN };

/* ---- the child ---- */

struct fake {
	char letter;
	bool deaf;
	int sibling;
};

static void say(uint32_t kind, uint32_t what)
{
	if (channel_send(CHILD_CHANNEL_FD, kind, &what, sizeof what, -1) < 0)
		_exit(9);
}

static void obey(struct fake *fake, enum order order)
{
	uint32_t own = fake->letter == 'a' ? ALPHA_ASKS : BETA_ASKS;

	switch (order) {
	case LIVE:
		break;
	case DIE:
		_exit(7);
	case BE_DEAF:
		fake->deaf = true;
		break;
	case ASK_OWN:
		say(own, 0);
		break;
	case ASK_OTHERS:
		say(fake->letter == 'a' ? BETA_ASKS : ALPHA_ASKS, 0);
		break;
	case ASK_WRONG_SIZE:
		channel_send(CHILD_CHANNEL_FD, own, "x", 1, -1);
		break;
	case ASK_WITH_FD:
		channel_send(CHILD_CHANNEL_FD, own, &own, sizeof own, STDERR_FILENO);
		break;
	case ASK_UNKNOWN:
		say(VERBS, 0);
		break;
	}
}

static void from_parent(struct fake *fake, const struct channel_message *m)
{
	uint32_t letter = (uint32_t)fake->letter;

	say(SAW, m->kind);
	if (m->kind == TOLD_ORDER)
		obey(fake, *(const enum order *)(const void *)m->body);
	if (m->kind == PARENT_SIBLING) {
		if (fake->sibling >= 0)
			close(fake->sibling);
		fake->sibling = m->fd;
		channel_send(m->fd, letter, &letter, sizeof letter, -1);
	}
	if (m->kind == PARENT_STOP) {
		say(SAYS_LATE, 0);
		if (!fake->deaf)
			_exit(0);
	}
}

static int fake_main(char letter)
{
	static _Alignas(8) uint8_t buffer[CHANNEL_BODY_MAX];
	struct fake fake = {.letter = letter, .sibling = -1};
	struct channel_message m;

	for (;;) {
		struct pollfd p[2] = {{CHILD_CHANNEL_FD, POLLIN, 0}, {fake.sibling, POLLIN, 0}};

		poll(p, 2, -1);
		if (p[0].revents) {
			if (channel_receive(CHILD_CHANNEL_FD, buffer, sizeof buffer, &m) != 1)
				return 0;
			from_parent(&fake, &m);
		} else if (channel_receive(fake.sibling, buffer, sizeof buffer, &m) == 1) {
			say(HEARD, m.kind);
		} else {
			close(fake.sibling);
			fake.sibling = -1;
		}
	}
}

/* ---- the parent ---- */

struct owner {
	struct supervisor *s;
	enum order order[CHILDREN][4];   /* of each start of each child */
	unsigned starts[CHILDREN];
	uint64_t start_ns[CHILDREN][4];
	unsigned gone[CHILDREN], heard[CHILDREN], asked[CHILDREN], late, early_late;
	uint32_t saw[CHILDREN][64];      /* kinds, since the first start */
	unsigned saw_count[CHILDREN];
	char told[64];                   /* hand-overs of all, in order */
	unsigned ended[CHILDREN], hangups;
	int pipe;
	unsigned read, fired;
	uint64_t due_ns;
	void (*check)(struct owner *o);  /* after each report: may stop */
};

static size_t row_of(const struct owner *o, const struct child *child)
{
	return (size_t)(child - o->s->child);
}

static void tell(struct owner *o, const struct child *child, const char *what)
{
	char line[8];

	snprintf(line, sizeof line, "%c%s ", child->program[0], what);
	strncat(o->told, line, sizeof o->told - strlen(o->told) - 1);
}

static void hand_first(void *owner, struct child *child)
{
	struct owner *o = owner;
	size_t row = row_of(o, child);

	tell(o, child, "1");
	o->start_ns[row][o->starts[row] % 4] = clock_now_ns();
	child_send(child, TOLD_FIRST, NULL, 0, -1);
}

static void hand_second(void *owner, struct child *child)
{
	tell(owner, child, "2");
	child_send(child, TOLD_SECOND, NULL, 0, -1);
}

static void started(void *owner, struct child *child)
{
	struct owner *o = owner;
	size_t row = row_of(o, child);
	enum order order = o->order[row][o->starts[row]++ % 4];

	tell(owner, child, "!");
	child_send(child, TOLD_ORDER, &order, sizeof order, -1);
}

static uint32_t word(const struct channel_message *m)
{
	return *(const uint32_t *)(const void *)m->body;
}

static int on_saw(void *ctx, struct channel_message *m)
{
	struct child *child = ctx;
	struct owner *o = child->owner;
	size_t row = row_of(o, child);
	uint32_t kind = word(m);

	if (o->saw_count[row] < 64)
		o->saw[row][o->saw_count[row]++] = kind;
	o->gone[row] += kind == PARENT_GO;
	o->check(o);
	return 0;
}

static int on_heard(void *ctx, struct channel_message *m)
{
	struct child *child = ctx;
	struct owner *o = child->owner;
	size_t row = row_of(o, child);

	ck_assert_uint_eq(word(m), row == ALPHA ? 'b' : 'a');
	o->heard[row]++;
	o->check(o);
	return 0;
}

static int on_asked(void *ctx, struct channel_message *m)
{
	struct child *child = ctx;
	struct owner *o = child->owner;

	(void)m;
	o->asked[row_of(o, child)]++;
	o->check(o);
	return 0;
}

static int on_late(void *ctx, struct channel_message *m)
{
	struct child *child = ctx;
	struct owner *o = child->owner;

	(void)m;
	o->late += o->s->stopping;
	o->early_late += !o->s->stopping;
	return 0;
}

static void on_ended(void *owner, struct child *child)
{
	struct owner *o = owner;

	o->ended[row_of(o, child)]++;
}

static void on_hangup(void *owner)
{
	struct owner *o = owner;

	o->hangups++;
	o->check(o);
}

static int pipe_fd(const void *owner)
{
	return ((const struct owner *)owner)->pipe;
}

static void on_pipe(void *owner)
{
	struct owner *o = owner;
	char c;

	o->read += (unsigned)read(o->pipe, &c, 1);
	o->check(o);
}

static uint64_t due_ns(const void *owner)
{
	return ((const struct owner *)owner)->due_ns;
}

static void on_due(void *owner, uint64_t now_ns)
{
	struct owner *o = owner;

	ck_assert_uint_ge(now_ns, o->due_ns);
	o->due_ns = TIME_NEVER;
	o->fired++;
	o->check(o);
}

#define WORD sizeof(uint32_t)

static const struct dispatch_row alpha_rows[VERBS] = {
	[SAW] = {on_saw, WORD},
	[HEARD] = {on_heard, WORD},
	[ALPHA_ASKS] = {on_asked, WORD},
	[SAYS_LATE] = {on_late, WORD},
};

static const struct dispatch_row beta_rows[VERBS] = {
	[SAW] = {on_saw, WORD},
	[HEARD] = {on_heard, WORD},
	[BETA_ASKS] = {on_asked, WORD},
	[SAYS_LATE] = {on_late, WORD},
};

static const struct dispatch_table alpha = {alpha_rows, VERBS, 0}, beta = {beta_rows, VERBS, 0};
static supervisor_hand *const hands[] = {hand_first, hand_second, NULL};
static const struct supervisor_pair pairs[] = {{ALPHA, BETA}};
static const struct supervisor_watch watches[] = {{pipe_fd, POLLIN, on_pipe}};
static const struct supervisor_timer timers[] = {{due_ns, on_due}};

static const struct supervisor_row rows[CHILDREN] = {
	[ALPHA] = {"alpha", false, false, hands, started, &alpha},
	[BETA] = {"beta", false, true, hands, started, &beta},
};

static const struct supervisor_row rows_once[CHILDREN] = {
	[ALPHA] = {"alpha", true, false, hands, started, &alpha},
	[BETA] = {"beta", false, false, hands, started, &beta},
};

static const struct supervisor_plan plan_usual = {
	.row = rows,
	.row_count = CHILDREN,
	.pair = pairs,
	.pair_count = 1,
	.watch = watches,
	.watch_count = 1,
	.timer = timers,
	.timer_count = 1,
	.hangup = on_hangup,
};

static const struct supervisor_plan plan_once = {
	.row = rows_once,
	.row_count = CHILDREN,
	.pair = pairs,
	.pair_count = 1,
	.hangup = on_hangup,
	.ended = on_ended,
};

static char directory[] = "/tmp/tund-supervisor.XXXXXX";
static struct owner owner;
static struct supervisor supervisor;

static void set_up(const struct supervisor_plan *plan, void (*check)(struct owner *o))
{
	struct child_home home = {.directory = directory, .tunnel = "office"};

	owner = (struct owner){.s = &supervisor, .pipe = -1, .due_ns = TIME_NEVER, .check = check};
	supervisor_init(&supervisor, plan, &owner, &home, -1);
	ck_assert_int_eq(supervisor_watch_signals(&supervisor), EXIT_DONE);
}

static void run(enum exit_code expected)
{
	ck_assert_int_eq(supervisor_run(&supervisor), expected);
}

static void tear_down(void)
{
	supervisor_end_children(&supervisor);
	supervisor_close(&supervisor);
}

static unsigned count_saw(size_t row, uint32_t kind)
{
	unsigned n = 0;

	for (unsigned i = 0; i < owner.saw_count[row]; i++)
		n += owner.saw[row][i] == kind;
	return n;
}

static void stop_when_both_heard(struct owner *o)
{
	if (o->heard[ALPHA] == 1 && o->heard[BETA] == 1 && count_saw(ALPHA, TOLD_ORDER) == 1 &&
	    count_saw(BETA, TOLD_ORDER) == 1)
		supervisor_stop(o->s, EXIT_DONE);
}

START_TEST(start_order_and_siblings)
{
	static const uint32_t expected[] = {TOLD_FIRST, TOLD_SECOND, PARENT_SIBLING, PARENT_GO,
					    TOLD_ORDER};

	set_up(&plan_usual, stop_when_both_heard);
	run(EXIT_DONE);
	ck_assert_str_eq(owner.told, "a1 a2 b1 b2 a! b! ");
	for (size_t row = 0; row < CHILDREN; row++)
		for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
			ck_assert_uint_eq(owner.saw[row][i], expected[i]);
	ck_assert_uint_eq(owner.late, 2); /* what they say on the way out is heard */
	ck_assert_uint_eq(owner.early_late, 0);
	ck_assert_int_eq(supervisor.child[ALPHA].process.pid, 0);
	ck_assert_int_eq(supervisor.child[BETA].process.pid, 0);
	tear_down();
}
END_TEST

static void stop_when_beta_is_back(struct owner *o)
{
	if (o->starts[BETA] == 3 && o->heard[ALPHA] >= 1 && o->heard[BETA] >= 1 &&
	    count_saw(ALPHA, PARENT_SIBLING) == 3 && count_saw(BETA, TOLD_ORDER) >= 3)
		supervisor_stop(o->s, EXIT_DONE);
}

/* It dies twice: later each time, it gets everything again, and its sibling a new channel. */
START_TEST(started_again)
{
	set_up(&plan_usual, stop_when_beta_is_back);
	owner.order[BETA][0] = owner.order[BETA][1] = DIE;
	run(EXIT_DONE);
	ck_assert_uint_eq(owner.starts[ALPHA], 1);
	ck_assert_str_eq(owner.told, "a1 a2 b1 b2 a! b! b1 b2 b! b1 b2 b! ");
	ck_assert_uint_ge(owner.start_ns[BETA][1] - owner.start_ns[BETA][0], 100 * NS_PER_MS);
	ck_assert_uint_ge(owner.start_ns[BETA][2] - owner.start_ns[BETA][1], 200 * NS_PER_MS);
	ck_assert_uint_eq(count_saw(ALPHA, TOLD_FIRST), 1);
	tear_down();
}
END_TEST

static void never_stop(struct owner *o)
{
	(void)o;
}

START_TEST(end_of_a_once_child)
{
	set_up(&plan_once, never_stop);
	owner.order[ALPHA][0] = DIE;
	run(EXIT_SYSTEM);
	ck_assert_uint_eq(owner.ended[ALPHA], 1);
	ck_assert_uint_eq(owner.ended[BETA], 0);
	ck_assert_uint_eq(owner.starts[ALPHA], 1);
	ck_assert_int_eq(supervisor.child[BETA].process.pid, 0); /* was told to stop, and did */
	tear_down();
}
END_TEST

START_TEST(missing_once_child)
{
	static const struct supervisor_row row = {"gamma", true, false,
						  hands,   started, &alpha};
	static const struct supervisor_plan plan = {.row = &row, .row_count = 1};

	set_up(&plan, never_stop);
	run(EXIT_SYSTEM);
	ck_assert_uint_eq(owner.starts[0], 0);
	tear_down();
}
END_TEST

START_TEST(stop_has_a_deadline)
{
	uint64_t begin_ns;

	set_up(&plan_usual, stop_when_both_heard);
	owner.order[ALPHA][0] = BE_DEAF;
	begin_ns = clock_now_ns();
	run(EXIT_DONE);
	ck_assert_uint_ge(clock_now_ns() - begin_ns, SUPERVISOR_STOP_MS * NS_PER_MS);
	ck_assert_int_ne(supervisor.child[ALPHA].process.pid, 0);
	ck_assert_int_eq(supervisor.child[BETA].process.pid, 0);
	tear_down();
	ck_assert_int_eq(supervisor.child[ALPHA].process.pid, 0);
}
END_TEST

static void stop_when_asked_or_back(struct owner *o)
{
	if (o->asked[ALPHA] || o->starts[ALPHA] == 2)
		supervisor_stop(o->s, EXIT_DONE);
}

START_TEST(own_verb)
{
	set_up(&plan_usual, stop_when_asked_or_back);
	owner.order[ALPHA][0] = ASK_OWN;
	run(EXIT_DONE);
	ck_assert_uint_eq(owner.asked[ALPHA], 1);
	ck_assert_uint_eq(owner.starts[ALPHA], 1);
	tear_down();
}
END_TEST

static const enum order refused[] = {ASK_OTHERS, ASK_WRONG_SIZE, ASK_WITH_FD, ASK_UNKNOWN};

/* Who asks for what is not in its row is killed, and started again. */
START_TEST(refused_verb)
{
	set_up(&plan_usual, stop_when_asked_or_back);
	owner.order[ALPHA][0] = refused[_i];
	run(EXIT_DONE);
	ck_assert_uint_eq(owner.asked[ALPHA], 0);
	ck_assert_uint_eq(owner.asked[BETA], 0);
	ck_assert_uint_eq(owner.starts[ALPHA], 2);
	tear_down();
}
END_TEST

static void raise_hangup_then_term(struct owner *o)
{
	if (o->hangups == 0 && o->heard[ALPHA])
		kill(getpid(), SIGHUP);
	else if (o->hangups == 1)
		kill(getpid(), SIGTERM);
}

START_TEST(signals)
{
	set_up(&plan_usual, raise_hangup_then_term);
	run(EXIT_DONE);
	ck_assert_uint_ge(owner.hangups, 1);
	tear_down();
}
END_TEST

static void stop_when_read_and_fired(struct owner *o)
{
	if (o->read && o->fired)
		supervisor_stop(o->s, EXIT_AGAIN);
}

START_TEST(watches_and_timers)
{
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(write(ends[1], "x", 1), 1);
	set_up(&plan_usual, stop_when_read_and_fired);
	owner.pipe = ends[0];
	owner.due_ns = clock_now_ns() + 50 * NS_PER_MS;
	run(EXIT_AGAIN);
	ck_assert_uint_eq(owner.read, 1);
	ck_assert_uint_eq(owner.fired, 1);
	tear_down();
	close(ends[0]);
	close(ends[1]);
}
END_TEST

START_TEST(one_holds_the_lock)
{
	static struct supervisor other;
	struct child_home home = {.directory = directory, .tunnel = "office"};
	char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/lock", directory);
	set_up(&plan_usual, never_stop);
	supervisor_init(&other, &plan_usual, &owner, &home, -1);
	ck_assert_int_eq(supervisor_lock(&supervisor, path), EXIT_DONE);
	ck_assert_int_eq(supervisor_lock(&other, path), EXIT_AGAIN);
	supervisor_close(&supervisor);
	ck_assert_int_eq(supervisor_lock(&other, path), EXIT_DONE);
	supervisor_close(&other);
	unlink(path);
}
END_TEST

START_TEST(workers_where_the_row_says)
{
	set_up(&plan_usual, never_stop);
	supervisor_set_workers(&supervisor, 3);
	ck_assert_uint_eq(supervisor.child[ALPHA].workers, 0);
	ck_assert_uint_eq(supervisor.child[BETA].workers, 3);
	supervisor_close(&supervisor);
}
END_TEST

/* The two programs: this one. */
static bool make_programs(bool make)
{
	static const char *const name[] = {"alpha", "beta"};
	char self[PATH_MAX], path[PATH_MAX + 64];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

	if (n < 0 || (make && !mkdtemp(directory)))
		return false;
	self[n] = '\0';
	for (size_t i = 0; i < CHILDREN; i++) {
		snprintf(path, sizeof path, "%s/%s", directory, name[i]);
		if (make ? symlink(self, path) != 0 : unlink(path) != 0)
			return false;
	}
	return make || rmdir(directory) == 0;
}

static Suite *make_suite(void)
{
	Suite *suite = suite_create("supervisor");
	TCase *tc = tcase_create("supervisor");

	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, start_order_and_siblings);
	tcase_add_test(tc, started_again);
	tcase_add_test(tc, end_of_a_once_child);
	tcase_add_test(tc, missing_once_child);
	tcase_add_test(tc, stop_has_a_deadline);
	tcase_add_test(tc, own_verb);
	tcase_add_loop_test(tc, refused_verb, 0, sizeof refused / sizeof *refused);
	tcase_add_test(tc, signals);
	tcase_add_test(tc, watches_and_timers);
	tcase_add_test(tc, one_holds_the_lock);
	tcase_add_test(tc, workers_where_the_row_says);
	suite_add_tcase(suite, tc);
	return suite;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[0] : "";
	int code;

	if (strcmp(name, "alpha") == 0 || strcmp(name, "beta") == 0)
		return fake_main(name[0]);
	if (!make_programs(true))
		return tap_skip("no directory in /tmp");
	code = tap_run(make_suite());
	make_programs(false);
	return code;
}
