"""What an answer hangs on: variants side by side, sweeps, thresholds, priors."""
