/* The yardstick in C of the timed kernel: one trial in calendar time after another, patient by patient.
 *
 * By docs/conduct.md, for the trials of timed_scenarios.py. Every variable of a patient has 32 random bits of its own,
 * from xoshiro256++ (Blackman & Vigna, ACM Trans Math Softw 2021;47:36).
 */

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "timed_codes.h" /* codes, columns and thresholds, written by timed_c_twin.py */

#define FAR (INT64_C(1) << 40) /* a tick that no trial reaches */
#define MOST 1024              /* patients of a trial at most */
#define THRESHOLDS 8

typedef struct {
    int64_t levels, strata, cohorts, looks, most, visits, columns;
    int64_t confirmation, control_visit, window, early, lag, pause, as_it_happens;
    double ticks_per_patient;
    const int32_t *look_n, *look_next, *final, *act_ge, *action, *attained_ge, *cohort_of;
    const int64_t *thresholds, *visit, *waits_until, *onset_scale, *stratum_by;
} design;

typedef struct {
    int toxic, response, evaluable, serious, controlled, cohort;
    int64_t known, toxicity_known; /* ticks since the start of treatment */
} patient;

typedef struct {
    uint64_t s[4];
} generator;

static inline uint64_t rotated(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }

static inline uint64_t next(generator *g)
{
    uint64_t *s = g->s, result = rotated(s[0] + s[3], 23) + s[0], t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotated(s[3], 45);
    return result;
}

static generator seeded(uint64_t seed)
{
    generator g; /* splitmix64, as the authors of the generator advise */
    for (int k = 0; k < 4; k++) {
        uint64_t z = (seed += UINT64_C(0x9e3779b97f4a7c15));
        z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
        g.s[k] = z ^ (z >> 31);
    }
    return g;
}

static inline int64_t earlier(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t later(int64_t a, int64_t b) { return a > b ? a : b; }

/* What becomes of a patient who starts treatment at this level. Chance decides, so nothing can be foreseen: what
 * happens picks from tables, and no branch depends on it. */
static inline patient treat(const design *restrict d, generator *restrict g, int level, int64_t belongs)
{
    uint64_t a = next(g), b = next(g), c = next(g), e = next(g);
    int64_t responds = (uint32_t)a, toxicity = a >> 32, determined = (uint32_t)b, onset = b >> 32;
    int64_t progresses = (uint32_t)c, grave = c >> 32, is_stable = (uint32_t)e, sight = e >> 32;
    int visits = (int)d->visits, confirmation = (int)d->confirmation;
    patient who;

    int stratum = 0;
    for (int s = 0; s < d->strata - 1; s++) stratum += belongs >= d->stratum_by[s];
    who.cohort = d->cohort_of[stratum];
    const int64_t *p = d->thresholds + (level * d->strata + stratum) * THRESHOLDS;
    int responder = responds < p[RESPONSE];
    who.toxic = toxicity < p[TOXIC_IF_NOT + responder];
    who.evaluable = determined < p[EVALUABLE_IF_NOT + responder];
    who.serious = who.toxic & (grave < p[SERIOUS]);
    who.response = responder & who.evaluable;
    int control = responder | (is_stable < p[STABLE]);
    who.controlled = control & who.evaluable & (d->control_visit < visits);

    /* one visit more as long as progression was not found, or a response not seen */
    int64_t words[] = {progresses, sight}, word = words[who.response];
    const int64_t *by = d->waits_until + (control + who.response) * visits;
    int visit = confirmation * who.response;
    for (int v = 0; v < visits - 1 - confirmation; v++) visit += word >= by[v];
    who.known = d->visit[visit * who.evaluable];

    int late = onset >= d->early;
    int64_t half = d->window >> 1, from[] = {0, d->early}, begins[] = {0, half}, lasts[] = {half, d->window - half};
    int64_t ticks = (onset - from[late]) * d->onset_scale[late] >> 32;
    ticks = begins[late] + later(earlier(ticks, lasts[late] - 1), 0);
    int64_t known[] = {d->window, ticks};
    who.toxicity_known = known[who.toxic];
    return who;
}

/* The least number of patients at the level among whom the toxicities seen by a tick reach the cut-off. */
static int who_crossed(const int64_t *onset_of, const int32_t *bounds, int m, int64_t now)
{
    int seen = 0;
    for (int i = 1; i < m; i++) {
        seen += onset_of[i - 1] <= now;
        if (seen >= bounds[i]) return i;
    }
    return m;
}

static inline void write_level(int32_t *own, int m, int responses, int toxic_n)
{
    own[0] = m;
    own[1] = responses;
    own[2] = toxic_n;
}

static inline void count_in(int32_t *cohort, int treated, int evaluable, int responses)
{
    cohort[1] += treated;
    cohort[2] += evaluable;
    cohort[3] += responses;
}

/* One trial. */
static inline void simulate_one(const design *restrict d, generator *restrict g, int32_t *restrict out)
{
    int64_t onsets[MOST], onset_of[MOST]; /* toxicities at the level: in order of onset, and by patient (FAR: none) */
    const int32_t *bounds = d->act_ge;
    int most = (int)d->most, level = 0, treated = 0, m = 0, toxic_n = 0, responses = 0;
    int look = 0, due = d->look_n[0], end = -1, verdict = 0, acted = 0, full = 0, needed = most, crossed_by = 0;
    int64_t crossing = FAR, switch_at = FAR, stop_at = FAR, alarm = FAR;
    int64_t start = 0, arrival = 0, reach = 0, toxic_reach = 0, last = 0, decided = 0, now = 0;
    double clock = 0;
    int evaluable = 0, controlled = 0, serious = 0, responses_above = 0;
    uint64_t word = 0;
    int32_t *own = out + LEVELS, *by_cohort = out + LEVELS + 3 * d->levels;

    memset(out, 0, sizeof(int32_t) * (size_t)d->columns);
    for (;;) {
        /* when the next patient comes, or all is known */
        if (!full) {
            word = next(g);
            clock -= logf(((float)(uint32_t)word + 0.5f) * 0x1p-32f) * d->ticks_per_patient;
            arrival = (int64_t)clock;
        }
        int64_t until = full ? decided : arrival;

        /* what happens before: toxicity rule, looks, amendment */
        while (full || alarm <= until) {
            if (crossing <= earlier(until, stop_at)) {
                now = crossing;
                crossing = FAR;
                acted = 1;
                if (d->action[level] == STOP) {
                    end = full ? TOXICITY_AT_N : TOXICITY;
                    break;
                }
                if (!out[TRIGGERED]) out[TRIGGERED_AT] = (int32_t)(now - start);
                out[TRIGGERED] = 1;
                switch_at = now + d->lag;
            } else if (full || stop_at <= until) {
                now = decided;
                end = verdict;
                break;
            } else {
                write_level(own, m, responses - responses_above, toxic_n);
                responses_above = responses;
                level++;
                own += 3;
                bounds += most + 1;
                m = toxic_n = acted = 0;
                toxic_reach = 0;
                switch_at = FAR;
                if (!out[REDUCED_AFTER]) out[REDUCED_AFTER] = treated;
            }
            alarm = earlier(crossing, earlier(switch_at, stop_at));
        }
        if (end >= 0) break;

        patient who = treat(d, g, level, word >> 32);
        if (!treated++) start = arrival;
        full = treated == most;
        m++;
        toxic_n += who.toxic;
        responses += who.response;
        evaluable += who.evaluable;
        controlled += who.controlled;
        serious += who.serious;
        if (d->cohorts > 1) count_in(by_cohort + 4 * who.cohort, 1, who.evaluable, who.response);
        int64_t toxicity_known = arrival + who.toxicity_known;
        reach = later(reach, arrival + who.known);
        toxic_reach = later(toxic_reach, toxicity_known);
        last = later(last, toxicity_known);

        /* when the toxicity rule will act */
        if (d->as_it_happens) {
            onset_of[m - 1] = who.toxic ? toxicity_known : FAR;
            if (who.toxic) {
                int j = toxic_n - 1;
                for (; j > 0 && onsets[j - 1] > toxicity_known; j--) onsets[j] = onsets[j - 1];
                onsets[j] = toxicity_known;
            }
        }
        int bound = bounds[m];
        if (toxic_n >= bound && !acted && d->action[level] != CONTINUE) {
            if (d->as_it_happens) {
                crossing = earlier(crossing, later(bound > 0 ? onsets[bound - 1] : 0, arrival));
            } else if (crossing == FAR) {
                crossing = toxic_reach;
                crossed_by = treated;
            }
            alarm = earlier(alarm, crossing);
        }

        /* what the look will decide, and when */
        if (treated == due) {
            int decision = d->look_next[look * (most + 1) + responses];
            decided = later(decided, reach);
            if (d->final[look]) {
                verdict = decision == GO ? FINAL_GO : decision == FUTILE ? FINAL_NO_GO : FINAL_CONSIDER;
            } else {
                if (d->pause) {
                    out[PAUSED] += (int32_t)(decided - arrival);
                    clock += (double)(decided - arrival);
                }
                if (decision < 0) {
                    verdict = decision == GO ? GO_EARLY : FUTILITY;
                    stop_at = decided;
                    alarm = earlier(alarm, stop_at);
                    needed = due;
                    due = 0;
                } else {
                    look = decision;
                    due = d->look_n[look];
                }
            }
        }
    }

    if (end == TOXICITY || end == TOXICITY_AT_N) {
        if (d->as_it_happens) crossed_by = treated - m + who_crossed(onset_of, bounds, m, now);
        needed = crossed_by;
    }
    if (d->pause && !full) out[PAUSED] -= (int32_t)later(decided - now, 0);
    last = later(later(last, reach), now);
    write_level(own, m, responses - responses_above, toxic_n);
    if (d->cohorts == 1) count_in(by_cohort, treated, evaluable, responses);
    out[END] = end;
    out[N] = out[TREATED] = out[SCREENED] = treated;
    out[EVALUABLE] = evaluable;
    out[CONTROLLED] = controlled;
    out[SERIOUS_N] = serious;
    out[OVERRUN] = treated - needed;
    out[DURATION] = (int32_t)(last - start);
    out[WAITING] = (int32_t)(last - (full ? arrival : now));
    out[DECIDED_AT] = (int32_t)(now - start);
    out[INTENSITY] = treated << 16;
    out[GO_EVALUABLE] = end == GO_EARLY || ((end == FINAL_GO || end == FINAL_NO_GO || end == FINAL_CONSIDER) &&
                                            responses >= d->attained_ge[evaluable]);
}

/* Fill out (replicates, columns). */
void simulate(const design *restrict d, uint64_t seed, int64_t replicates, int32_t *restrict out)
{
    generator g = seeded(seed);
    for (int64_t r = 0; r < replicates; r++) simulate_one(d, &g, out + r * d->columns);
}
