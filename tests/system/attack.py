"""Tries to work out what reports hide: everything that they show becomes an equation, and each hidden count is sought
between its least and its greatest value.

The attacker knows the schema, all reports of all periods in every split, and that people are counted in whole numbers. It
even knows which courses did not change between two periods. scipy solves the linear programs; where the bounds leave one
whole number alone, the integer program decides.
"""
import math
import sqlite3

import numpy
from scipy.optimize import LinearConstraint, milp
from scipy.sparse import csr_matrix


class Definitions:
    """The lines and groups as the schema has them."""

    def __init__(self, store, dimensions=None):
        """`dimensions`: those that are attacked; all of them where it is None, which takes longer."""
        with sqlite3.connect(store) as database:
            self.lines, self.parts, self.bases, self.may_be_none = {}, {}, {}, {}
            for line, measure, dimension, numerator, denominator, unknown, base, none in database.execute(
                    "SELECT line, measure, dimension, numerator, denominator, unknown, base, may_be_none FROM indicator"):
                if measure != "entrants" or (dimensions is not None and dimension not in dimensions):
                    continue
                sets = [set(names.split()) for names in (numerator, denominator, unknown)]
                self.lines[line] = (dimension, *sets)
                self.parts.setdefault(dimension, set()).update(*sets)
                self.bases.setdefault(dimension, set()).update(base.split())
                self.may_be_none.setdefault(dimension, set()).update(none.split())
            for dimension, value in database.execute(
                    "SELECT DISTINCT dimension, value FROM outcome_count WHERE measure = 'entrants'"):
                if dimension in self.parts:
                    self.parts[dimension].add(value)
            for dimension, parts in self.parts.items():
                self.bases[dimension] = self.bases[dimension] or parts
            self.groups = {}
            for place, programme, starts_on, split, code in database.execute(
                    "SELECT place, programme, starts_on, split, code FROM course_group WHERE starts_on <> ''"):
                unit = (place, programme, starts_on)
                self.groups.setdefault((split, code), set()).add(unit)
                self.groups.setdefault(("", ""), set()).add(unit)


class Attack:
    def __init__(self, definitions, truth):
        """`truth`: {period: {(unit, dimension, part): count}}, only to know what did not change, and what is hidden."""
        self.definitions, self.truth = definitions, truth
        self.variables, self.rows, self.targets = {}, [], []
        self.same = {}
        for period in sorted(truth):
            for dimension, parts in definitions.parts.items():
                for unit in definitions.groups["", ""]:
                    mine = tuple(truth[period].get((unit, dimension, part), 0) for part in sorted(parts))
                    # The same variables for a unit whose counts are what they were.
                    name = self.same.setdefault((unit, dimension, mine), (unit, dimension, period))
                    for part in parts:
                        self.variables.setdefault((*name, part), len(self.variables))
        for period in truth:
            self._link(period)

    def _name(self, period, unit, dimension):
        mine = tuple(self.truth[period].get((unit, dimension, part), 0) for part in sorted(self.definitions.parts[dimension]))
        return self.same[unit, dimension, mine]

    def _sum(self, period, units, dimension, parts):
        return [self.variables[(*self._name(period, unit, dimension), part)] for unit in units for part in parts]

    def _link(self, period):
        """Each dimension counts the same people."""
        first, *others = sorted(self.definitions.parts)
        for unit in self.definitions.groups["", ""]:
            for other in others:
                self.rows.append((self._sum(period, [unit], first, self.definitions.bases[first]),
                                  self._sum(period, [unit], other, self.definitions.bases[other]), 0))

    def take(self, report, seeks=True):
        """What a report shows becomes equations; what it hides is to be found, where it `seeks`. Only of figures that are of its period:
        an older one was an equation then."""
        for figure in report["figures"]:
            if figure["line"] not in self.definitions.lines or figure["kind"] != "rate" or figure["report"] == "R13":
                continue
            dimension, numerator, denominator, unknown = self.definitions.lines[figure["line"]]
            units = self.definitions.groups[figure["split"], figure["group"]]
            period = report["period"]
            if figure["numerator"] is None and seeks:
                self.targets.append((period, figure["line"], (figure["split"], figure["group"])))
            if figure["part"] or (figure["as_of"] or period) != period:
                continue
            for parts, value in ((numerator, figure["numerator"]),
                                 (self.definitions.bases[dimension], figure["people"]),
                                 (denominator, figure["denominator"] if figure["shown"] == "shown" else None),
                                 (unknown, figure["unknown"])):
                if value is not None and parts:
                    assert value == sum(self.truth[period].get((unit, dimension, part), 0)
                                        for unit in units for part in parts), "the report is wrong: %s" % figure
                    self.rows.append((self._sum(period, units, dimension, parts), [], value))

    def _matrix(self):
        entries, rows, columns = [], [], []
        for i, (plus, minus, _) in enumerate(self.rows):
            rows += [i] * (len(plus) + len(minus))
            columns += plus + minus
            entries += [1] * len(plus) + [-1] * len(minus)
        return csr_matrix((entries, (rows, columns)), shape=(len(self.rows), len(self.variables)))

    def bounds(self, places, constraints, whole):
        cost = numpy.zeros(len(self.variables))
        for place in places:
            cost[place] += 1
        found = []
        for sign in (1, -1):
            # What is not bounded is bounded by everybody that any school could have.
            done = milp(sign * cost, constraints=constraints, integrality=numpy.full(len(cost), int(whole)),
                        bounds=(0, 10000))
            assert done.status == 0, "the reports contradict one another: %s" % done.message
            found.append(sign * done.fun)
        return found

    def pinned(self):
        """The hidden counts of which a single value is possible: numerators, and what is left of denominators."""
        values = [value for _, _, value in self.rows]
        constraints = LinearConstraint(self._matrix(), values, values)
        found, sought = [], set()
        for period, line, group in self.targets:
            dimension, numerator, denominator, _ = self.definitions.lines[line]
            none = self.definitions.may_be_none[dimension]
            if numerator <= none:
                continue  # that there is nobody may be known
            for parts in (numerator, denominator - numerator):
                if parts <= none:
                    continue
                places = frozenset(self._sum(period, self.definitions.groups[group], dimension, parts))
                if places in sought:
                    continue
                sought.add(places)
                low, high = self.bounds(places, constraints, whole=False)
                if math.ceil(low - 1e-6) >= math.floor(high + 1e-6):
                    low, high = self.bounds(places, constraints, whole=True)
                    if round(low) == round(high):
                        found.append((period, line, group, round(low)))
        return found
