"""zstd frames by way of the system's libzstd."""
import ctypes
import struct

_library = ctypes.CDLL("libzstd.so.1")
_library.ZSTD_compressBound.restype = ctypes.c_size_t
_library.ZSTD_compressBound.argtypes = [ctypes.c_size_t]
_library.ZSTD_compress.restype = ctypes.c_size_t
_library.ZSTD_compress.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int]
_library.ZSTD_decompress.restype = ctypes.c_size_t
_library.ZSTD_decompress.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t]
_library.ZSTD_getFrameContentSize.restype = ctypes.c_ulonglong
_library.ZSTD_getFrameContentSize.argtypes = [ctypes.c_char_p, ctypes.c_size_t]
_library.ZSTD_isError.argtypes = [ctypes.c_size_t]

LIMIT = 20 << 20


def compress(data, level=3):
    out = ctypes.create_string_buffer(_library.ZSTD_compressBound(len(data)))
    size = _library.ZSTD_compress(out, len(out), data, len(data), level)
    assert not _library.ZSTD_isError(size)
    return out.raw[:size]


def decompress(frame):
    size = _library.ZSTD_getFrameContentSize(frame, len(frame))
    if size > LIMIT:
        raise ValueError("the frame states no size, or one beyond the limit")
    out = ctypes.create_string_buffer(max(size, 1))
    done = _library.ZSTD_decompress(out, len(out), frame, len(frame))
    if _library.ZSTD_isError(done) or done != size:
        raise ValueError("the frame does not hold what it states")
    return out.raw[:size]


def with_stated_size(frame, size):
    """The same frame with another content size in its header (RFC 8878, 3.1.1.1): a lie about what comes out of it."""
    descriptor = frame[4]
    single_segment, flag = descriptor >> 5 & 1, descriptor >> 6
    width = {0: 1 if single_segment else 0, 1: 2, 2: 4, 3: 8}[flag]
    assert width in (4, 8), "make the frame large enough that its size has a wide field"
    place = 5 + (0 if single_segment else 1) + (0, 1, 2, 4)[descriptor & 3]
    return frame[:place] + struct.pack("<Q", size)[:width] + frame[place + width:]
