"""Days: months later, and the birth date that gives an age."""
import datetime


def day(text):
    return datetime.date.fromisoformat(text)


def months_later(start, months):
    """The same day of the month so much later, or the month's last day where it has none such."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    for last in (start.day, 30, 29, 28):
        try:
            return datetime.date(year, month + 1, last)
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")


def birth_date(age, on, chance):
    """A birth date that makes somebody `age` whole years old on that day."""
    last_birthday = on - datetime.timedelta(days=int(chance.random() * 365))
    return months_later(last_birthday, -12 * age)


def teaching_days(start, weeks, closed):
    """The days from Monday to Friday of so many weeks, without those on which the school is closed."""
    found = (start + datetime.timedelta(days=n) for n in range(7 * weeks))
    return [one for one in found if one.weekday() < 5 and one.isoformat() not in closed]
