"""Keys and numbers that are the same each time: made of the sample's name and a counter, not of time and chance."""
import datetime
import hashlib

EPOCH = datetime.date(1970, 1, 1)


def record_key(sample, table, number, day):
    """A key in the form of the schema's defaults: 12 hexadecimal digits of the time, and 20 that are as if random."""
    milliseconds = (day - EPOCH).days * 86_400_000
    chance = hashlib.sha256(("%s %s %s" % (sample, table, number)).encode()).hexdigest()
    return "%012x%s" % (milliseconds, chance[:20])


def siret(block, number):
    """A SIRET whose check digits are right; it begins with 000, as that of no real employer does."""
    siren = with_check_digit("000%d%04d" % (block, number))
    return with_check_digit(siren + "0001")


def with_check_digit(digits):
    """The digits, and the one after which Luhn's sum is a multiple of ten."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return digits + str(-total % 10)
