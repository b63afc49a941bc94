"""From a configuration to runs, to what each job is given, to the jobs of the workflow."""
