"""What Snakemake is made to do otherwise; no rules.

Needs all rules; yields nothing.
"""

import atexit
import gc
import inspect
import time

from snakemake.dag import DAG
from snakemake.jobs import GroupJob, Job
from snakemake.scheduling.job_scheduler import JobScheduler
from snakemake.settings.types import SharedFSUsage
from snakemake_interface_executor_plugins.executors.real import RealExecutor

# The objects of a large plan all stay: searching them for garbage again and again finds none.
gc.set_threshold(100_000, 50, 100)
atexit.register(gc.freeze)  # nor is it searched at the end, an eighth of a dry run

# Snakemake works out the signature of a function in a rule several times for each job.
for one in workflow.rules:
    for item in (*one.input, *one.params, one.group):
        function = getattr(item, "callable", item)
        if inspect.isfunction(function):
            function.__signature__ = inspect.signature(function)


def without_parameters(environment):
    """Return `Job.conda_env_spec` so that parameters are worked out for functions alone.

    Snakemake would do so for every job, though the environment of a rule is the same for all. A
    parameter that fails is so noticed once its job is due, or printed.
    """

    def environment_of(job):
        if callable(job.rule.conda_env):
            return environment(job)
        return job.rule.expand_conda_env(job.wildcards_dict)

    return property(environment_of)


if Job.conda_env_spec.fget.__name__ != "environment_of":
    Job.conda_env_spec = without_parameters(Job.conda_env_spec.fget)


def with_reason(log_error):
    """Return `GroupJob.log_error` so that it prints why a job was refused: Snakemake drops it."""

    def log_with_reason(job, msg=None, **details):
        if msg:
            logger.error(msg)
        log_error(job, msg, **details)

    return log_with_reason


if (
    GroupJob.log_error.__name__ != "log_with_reason"
):  # a process may read this file twice
    GroupJob.log_error = with_reason(GroupJob.log_error)


def one_at_a_time(look_again):
    """Return `JobScheduler._schedule_reevalutation` so that looks that change nothing are left out.

    Every look at waiting jobs would set a timer for the next, those of other timers too: after
    two hundred jobs up to two hundred looks a second, each at all that wait. Only where as many
    jobs were started as `--max-jobs-per-timespan` allows does one wait for the clock.
    """
    due = {}

    def look_again_once(scheduler, delay):
        now, limit = time.monotonic(), scheduler.job_rate_limiter
        is_reached = limit is not None and not limit.get_free_jobs()
        if is_reached or not now < due.get(scheduler, 0.0) <= now + delay:
            due[scheduler] = now + delay
            look_again(scheduler, delay)

    return look_again_once


if JobScheduler._schedule_reevalutation.__name__ != "look_again_once":
    JobScheduler._schedule_reevalutation = one_at_a_time(
        JobScheduler._schedule_reevalutation
    )


class Unlimited(dict):
    """Sizes of packs, none of which is limited."""

    def get(self, group, default=None):
        return sys.maxsize


def in_one_pack(update_groups):
    """Return `DAG.update_groups` so that a job of a cluster runs what is packed into it as one.

    Snakemake does not tell such a job the sizes of packs: it would start itself for each member.
    """

    def update(dag):
        dag.workflow.group_settings.group_components = Unlimited()
        update_groups(dag)

    return update


if workflow.remote_exec and DAG.update_groups.__name__ != "update":
    DAG.update_groups = in_one_pack(DAG.update_groups)


def with_copied_code(schedule):
    """Return `JobScheduler.schedule` so that the code which jobs run is copied before the first."""

    def schedule_with_copied_code(scheduler):
        if (
            hasattr(scheduler.workflow, "code_of_jobs")
            and not scheduler.workflow.dryrun
        ):
            scheduler.workflow.code_of_jobs()
        return schedule(scheduler)

    return schedule_with_copied_code


def with_copied_rules(get_snakefile):
    """Return `RealExecutor.get_snakefile` so that jobs of a cluster read the copy of the rules."""

    def get_copied_snakefile(executor):
        if not getattr(executor.workflow, "has_copied_rules", False):
            return get_snakefile(executor)
        copy = executor.workflow.code_of_jobs()
        return str(copy.absolute() / "seqbench/pipeline/workflow/Snakefile")

    return get_copied_snakefile


if workflow.is_main_process:
    workflow.code_of_jobs = code_of_jobs
    workflow.has_copied_rules = not IS_MODULE and (
        SharedFSUsage.SOURCES in workflow.storage_settings.shared_fs_usage
    )
    if JobScheduler.schedule.__name__ != "schedule_with_copied_code":
        JobScheduler.schedule = with_copied_code(JobScheduler.schedule)
        RealExecutor.get_snakefile = with_copied_rules(RealExecutor.get_snakefile)
