using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace PsyLite.Tests.Training;

/// <summary>The tensors of a safetensors file in Golden/.</summary>
internal sealed class GoldenFile
{
    private readonly byte[] _bytes;
    private readonly JsonElement _header;
    private readonly int _dataStart;

    public GoldenFile(string name)
    {
        _bytes = File.ReadAllBytes(Path.Combine(ReferenceGraphTests.Root, "tests/PsyLite.Tests/Golden", name));
        var length = (int)BinaryPrimitives.ReadUInt64LittleEndian(_bytes);
        _header = JsonDocument.Parse(_bytes.AsMemory(8, length)).RootElement;
        _dataStart = 8 + length;
    }

    public bool Has(string name) => _header.TryGetProperty(name, out _);

    public float[] Floats(string name) => MemoryMarshal.Cast<byte, float>(Raw(name, "F32")).ToArray();

    public int[] Integers(string name) => MemoryMarshal.Cast<byte, int>(Raw(name, "I32")).ToArray();

    private ReadOnlySpan<byte> Raw(string name, string type)
    {
        var entry = _header.GetProperty(name);
        Assert.Equal(type, entry.GetProperty("dtype").GetString());
        var offsets = entry.GetProperty("data_offsets").EnumerateArray().Select(o => o.GetInt32()).ToArray();
        return _bytes.AsSpan(_dataStart + offsets[0], offsets[1] - offsets[0]);
    }
}
