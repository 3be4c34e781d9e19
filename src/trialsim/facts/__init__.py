"""What a protocol fixes, as typed facts: every sentence of the protocol section is made from these and nothing else."""
