/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads of one backend. A frame is some sixty operators, one after the other, each shared out among threads: whoever fell asleep between two would take as long to wake up
 * as some of them take. So a thread that waits looks out for a tenth of a millisecond before it sleeps, and lets others have its CPU meanwhile.
 */
#include <sched.h>
#include <signal.h>

#include "cpu.h"

#define LOOKOUT 100 /* microseconds */
#define PAUSES 32   /* between two looks at the clock */

struct _VfiCpuPool
{
  int n, started; /* threads, the one that calls included; those that were started */
  GThread **threads;
  GMutex busy; /* one call of share at a time */

  void (*part) (gpointer data, int i, int n);
  gpointer data;
  gint round, left; /* changes with every call; threads that are not done yet */
  gboolean quit;

  GMutex lock; /* of those who sleep: */
  GCond start, done;
  gint asleep, waiting;
};

typedef struct
{
  VfiCpuPool *pool;
  int i;
} Worker;

/* Until *value is no longer (or, `until`, is) what is given, or it has taken too long: FALSE. */
static gboolean
look_out (const gint *value, gint given, gboolean until)
{
  const gint64 end = g_get_monotonic_time () + LOOKOUT;

  do {
    for (int i = 0; i < PAUSES; i++) {
      if ((__atomic_load_n (value, __ATOMIC_SEQ_CST) == given) == until)
        return TRUE;
#ifdef __x86_64__
      __builtin_ia32_pause ();
#endif
    }
    sched_yield ();
  } while (g_get_monotonic_time () < end);
  return FALSE;
}

static gpointer
work (gpointer data)
{
  Worker *w = data;
  VfiCpuPool *p = w->pool;
  const int i = w->i;
  gint round = 0;

  g_free (w);
  for (;;) {
    if (!look_out (&p->round, round, FALSE)) {
      g_mutex_lock (&p->lock);
      __atomic_add_fetch (&p->asleep, 1, __ATOMIC_SEQ_CST);
      while (__atomic_load_n (&p->round, __ATOMIC_SEQ_CST) == round)
        g_cond_wait (&p->start, &p->lock);
      __atomic_sub_fetch (&p->asleep, 1, __ATOMIC_SEQ_CST);
      g_mutex_unlock (&p->lock);
    }
    round++;
    if (p->quit)
      return NULL;
    p->part (p->data, i, p->started + 1);
    if (__atomic_sub_fetch (&p->left, 1, __ATOMIC_SEQ_CST) == 0 && __atomic_load_n (&p->waiting, __ATOMIC_SEQ_CST)) {
      g_mutex_lock (&p->lock);
      g_cond_signal (&p->done);
      g_mutex_unlock (&p->lock);
    }
  }
}

static void
begin (VfiCpuPool *p)
{
  __atomic_store_n (&p->left, p->started, __ATOMIC_SEQ_CST);
  __atomic_add_fetch (&p->round, 1, __ATOMIC_SEQ_CST);
  if (__atomic_load_n (&p->asleep, __ATOMIC_SEQ_CST)) {
    g_mutex_lock (&p->lock);
    g_cond_broadcast (&p->start);
    g_mutex_unlock (&p->lock);
  }
}

void
vfi_cpu_pool_share (VfiCpuPool *p, void (*part) (gpointer data, int i, int n), gpointer data)
{
  if (!p->started) {
    part (data, 0, 1);
    return;
  }
  g_mutex_lock (&p->busy);
  p->part = part;
  p->data = data;
  begin (p);
  part (data, 0, p->started + 1);
  if (!look_out (&p->left, 0, TRUE)) {
    g_mutex_lock (&p->lock);
    __atomic_store_n (&p->waiting, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n (&p->left, __ATOMIC_SEQ_CST))
      g_cond_wait (&p->done, &p->lock);
    __atomic_store_n (&p->waiting, 0, __ATOMIC_SEQ_CST);
    g_mutex_unlock (&p->lock);
  }
  g_mutex_unlock (&p->busy);
}

VfiCpuPool *
vfi_cpu_pool_new (int n)
{
  VfiCpuPool *p = g_new0 (VfiCpuPool, 1);
  sigset_t all, before;

  p->threads = g_new0 (GThread *, n);
  g_mutex_init (&p->busy);
  g_mutex_init (&p->lock);
  g_cond_init (&p->start);
  g_cond_init (&p->done);
  sigfillset (&all);
  pthread_sigmask (SIG_BLOCK, &all, &before); /* others are to take signals */
  while (p->started < n - 1) {
    Worker *w = g_new (Worker, 1);

    *w = (Worker){ p, p->started + 1 };
    if (!(p->threads[p->started] = g_thread_try_new ("vfi", work, w, NULL))) { /* then there are fewer */
      g_free (w);
      break;
    }
    p->started++;
  }
  pthread_sigmask (SIG_SETMASK, &before, NULL);
  return p;
}

void
vfi_cpu_pool_free (VfiCpuPool *p)
{
  p->quit = TRUE;
  begin (p);
  for (int i = 0; i < p->started; i++)
    g_thread_join (p->threads[i]);
  g_mutex_clear (&p->busy);
  g_mutex_clear (&p->lock);
  g_cond_clear (&p->start);
  g_cond_clear (&p->done);
  g_free (p->threads);
  g_free (p);
}

typedef struct
{
  void (*each) (gpointer data, int i, int thread);
  gpointer data;
  int n, step;
  gint next;
} Each;

static void
some (gpointer data, int thread, int n)
{
  Each *e = data;

  for (int i; (i = __atomic_fetch_add (&e->next, e->step, __ATOMIC_RELAXED)) < e->n;)
    for (int k = i; k < MIN (i + e->step, e->n); k++)
      e->each (e->data, k, thread);
}

void
vfi_cpu_each (VfiBackend *b, int n, int step, void (*each) (gpointer data, int i, int thread), gpointer data)
{
  Each e = { each, data, n, step };

  b->klass->share (b, some, &e);
}
