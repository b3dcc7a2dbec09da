"""Chance that keeps exact counts: who is chosen is left to it, how many are is not."""
import math


def pick(chance, things, count, weight):
    """The numbers of `count` of the things, as a set; what weighs more is more likely to be among them."""
    # With u from 0 to 1, the largest of log(u) / weight are a weighted choice without repetition.
    order = sorted(range(len(things)), key=lambda n: -math.log(1 - chance.random()) / weight(things[n]))
    assert count <= len(order), "%d of %d cannot be chosen" % (count, len(order))
    return set(order[:count])


def share_out(total, weights):
    """Whole numbers, as the weights say, whose sum is the total."""
    exact = [total * weight / sum(weights) for weight in weights]
    shares = [int(share) for share in exact]
    by_remainder = sorted(range(len(exact)), key=lambda n: shares[n] - exact[n])
    for n in by_remainder[:total - sum(shares)]:
        shares[n] += 1
    return shares


def one_of(chance, weights):
    """One of the keys of {key: weight}."""
    at = chance.random() * sum(weights.values())
    for key, weight in weights.items():
        at -= weight
        if at < 0:
            return key
    return key
