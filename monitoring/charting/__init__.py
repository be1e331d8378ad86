"""The pages of a patient's vitals: what was measured, put right by a doctor with a reason, and what came of it."""
