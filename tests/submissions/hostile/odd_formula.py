"""A formula whose text breaks whoever reads it: a number that is none."""
# Told: this is not a formula

# Answer: slope
class Formula:
    free_symbols = set()

    def _sympyrepr(self, printer):
        return "Float('abc')"


slope = Formula()
