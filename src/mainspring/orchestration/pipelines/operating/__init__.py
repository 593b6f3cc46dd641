"""What an engineer who is paged needs: runs, dead letters, holds, schedules, figures, retention."""
