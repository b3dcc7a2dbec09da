import signal

import pytest

import network as library
from peer.generated import module_in


def end_on_signal(number, _):
    raise KeyboardInterrupt(signal.Signals(number).name)


def pytest_configure():
    """Whoever ends the tests with SIGTERM ends their daemons too: as at Ctrl-C, fixtures are closed."""
    signal.signal(signal.SIGTERM, end_on_signal)


@pytest.fixture
def network(tmp_path):
    """A network of this test's own: empty, closed afterwards whatever happened."""
    found = library.Network(tmp_path)
    yield found
    found.close()


@pytest.fixture(scope="module")
def shared_network(tmp_path_factory):
    """One network for all tests of a file, for those that only write to records of their own."""
    found = library.Network(tmp_path_factory.mktemp("network"))
    yield found
    found.close()


@pytest.fixture(scope="session")
def proto(tmp_path_factory):
    """The Python module of proto/navette.proto."""
    return module_in(tmp_path_factory.mktemp("generated"))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A test that fails shows what its daemons said."""
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for found in library.LIVE_NETWORKS:
            for site in found.sites:
                if site is not None:
                    report.sections.append(("stderr of %s's daemon" % site.name, site.stderr()))
