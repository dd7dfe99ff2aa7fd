using System.Buffers.Binary;
using System.Text;
using PsyLite.Models;
using PsyLite.Models.Safetensors;

namespace PsyLite.Tests.Models.Safetensors;

public sealed class SafetensorsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("psylite-safetensors").FullName;

    private string FilePath => Path.Combine(_folder, "model.safetensors");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(SafetensorsType.F32, 0.1f, 0.1f)]
    [InlineData(SafetensorsType.F16, 0.1f, 0.0999755859375f)]
    [InlineData(SafetensorsType.BF16, 0.1f, 0.10009765625f)]
    [InlineData(SafetensorsType.BF16, 1.00390625f, 1f)] // A tie goes to the even neighbour…
    [InlineData(SafetensorsType.BF16, 1.01171875f, 1.015625f)] // …which may be the upper one.
    public void Values_are_stored_rounded_to_nearest_even(SafetensorsType type, float value, float stored)
    {
        new SafetensorsWriter().Add("a", type, TensorSource.From(new[] { 1f, -2f, value }, 3, 1)).WriteFile(FilePath);
        using var file = SafetensorsReader.Open(FilePath);
        Assert.Equal("pt", file.Metadata["format"]);
        Assert.Equal([3L, 1], file.Tensor("a").Shape);
        Assert.Equal([1f, -2f, stored], All(file.Source("a")));
    }

    [Fact]
    public void The_bytes_are_those_of_the_format()
    {
        new SafetensorsWriter().Add("half", SafetensorsType.F16, TensorSource.From(new[] { 1f }, 1)).Add("full", SafetensorsType.F32, TensorSource.From(new[] { 2f }, 1, 1)).WriteFile(FilePath);
        var bytes = File.ReadAllBytes(FilePath);
        var length = (int)BinaryPrimitives.ReadUInt64LittleEndian(bytes);
        Assert.Equal(0, (8 + length) % 8);
        Assert.Equal(
            """{"__metadata__":{"format":"pt"},"full":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]},"half":{"dtype":"F16","shape":[1],"data_offsets":[4,6]}}""",
            Encoding.UTF8.GetString(bytes, 8, length).TrimEnd(' '));
        Assert.Equal([0, 0, 0, 0x40, 0, 0x3c], bytes[(8 + length)..]);
    }

    [Fact]
    public void A_file_of_another_program_is_read()
    {
        using var file = SafetensorsReader.Open(Path.Combine(ReferenceGraphTests.Root, "tests/PsyLite.Tests/Golden/internlm2_golden.safetensors"));
        Assert.Contains(file.Tensors, t => t.Type == SafetensorsType.I32);
        var weights = file.Tensors.First(t => t.Type == SafetensorsType.F32 && t.Count > 8);
        var (all, part) = (All(file.Source(weights.Name)), new float[5]);
        file.ReadFloats(weights, 3, part);
        Assert.Equal(all[3..8], part);
        Assert.DoesNotContain(file.Sources().Keys, name => file.Tensor(name).Type == SafetensorsType.I32);
    }

    [Fact]
    public void A_large_model_is_cut_into_shards_and_read_as_one()
    {
        var tensors = Enumerable.Range(0, 5).ToDictionary(i => $"t{i}", i => TensorSource.From(Enumerable.Range(0, 100).Select(v => (float)(v + i)).ToArray(), 10, 10));
        var writer = new SafetensorsWriter();
        foreach (var (name, source) in tensors)
        {
            writer.Add(name, SafetensorsType.F32, source);
        }

        writer.WriteFolder(_folder);
        Assert.Equal(["model.safetensors"], Names());
        writer.WriteFolder(_folder, shardBytes: 900);
        Assert.Equal(["model-00001-of-00003.safetensors", "model-00002-of-00003.safetensors", "model-00003-of-00003.safetensors", "model.safetensors.index.json"], Names());
        using (var model = SafetensorsReader.Open(_folder))
        {
            Assert.Equal(tensors.Keys, model.Tensors.Select(t => t.Name));
            Assert.All(tensors, t => Assert.Equal(All(t.Value), All(model.Source(t.Key))));
        }

        var index = Path.Combine(_folder, "model.safetensors.index.json");
        var text = File.ReadAllText(index);
        AssertRefused("in its folder", () => Replaced("model-00001", "../model-00001"));
        AssertRefused("'t9' is not in", () => Replaced("\"t0\"", "\"t9\""));
        AssertRefused("not the index", () => Replaced("weight_map", "weights"));
        void Replaced(string from, string to)
        {
            File.WriteAllText(index, text.Replace(from, to, StringComparison.Ordinal));
            SafetensorsReader.Open(_folder).Dispose();
        }
    }

    [Theory]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 8, null)]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 7, "does not lie where")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 9, "belong to no tensor")]
    [InlineData("""{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}""", 8, "does not lie where")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""", 8, "does not lie where")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}""", 0, "does not lie where")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}}""", 8, "'b' does not lie where")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8, "'a' does not lie where")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1]}}""", 4, "lacks its type")]
    [InlineData("""{"a":{"dtype":"F32,F16","shape":[1],"data_offsets":[0,4]}}""", 4, "stored as 'F32,F16'")]
    [InlineData("""{"a":1}""", 0, "not the JSON")]
    [InlineData("""{"a":{"dtype":"U8","shape":[],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[],"data_offsets":[0,1]}}""", 1, "not the JSON")]
    [InlineData("[1]", 0, "not a safetensors file")]
    public void Headers_are_checked(string header, int dataBytes, string? message)
    {
        var bytes = new byte[8 + header.Length + dataBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, (ulong)header.Length);
        Encoding.ASCII.GetBytes(header).CopyTo(bytes, 8);
        File.WriteAllBytes(FilePath, bytes);
        if (message is null)
        {
            using var file = SafetensorsReader.Open(FilePath);
            Assert.Equal(8, file.Tensor("a").ByteCount);
            return;
        }

        AssertRefused(message, () => SafetensorsReader.Open(FilePath).Dispose());
    }

    [Fact]
    public void What_cannot_be_stored_is_refused_and_leaves_the_old_file()
    {
        new SafetensorsWriter().Add("a", SafetensorsType.F16, TensorSource.From(new[] { 1f }, 1)).WriteFile(FilePath);
        AssertRefused("70000 at index 1", () => new SafetensorsWriter().Add("a", SafetensorsType.F16, TensorSource.From(new[] { 1f, 70000f }, 2)).WriteFile(FilePath));
        AssertRefused("NaN", () => new SafetensorsWriter().Add("a", SafetensorsType.BF16, TensorSource.From(new[] { float.NaN }, 1)).WriteFile(FilePath));
        Assert.Equal(["model.safetensors"], Names());
        using var file = SafetensorsReader.Open(FilePath);
        Assert.Equal([1f], All(file.Source("a")));
        Assert.Throws<ArgumentOutOfRangeException>(() => file.ReadBytes(file.Tensor("a"), 1, new byte[2]));
        Assert.Throws<FileNotFoundException>(() => SafetensorsReader.Open(Path.Combine(_folder, "none")));
    }

    internal static float[] All(TensorSource source)
    {
        var values = new float[source.Count];
        source.Read(0, values);
        return values;
    }

    private IEnumerable<string> Names() => Directory.GetFiles(_folder).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal);

    private static void AssertRefused(string message, Action action) => Assert.Contains(message, Assert.Throws<InvalidDataException>(action).Message);
}
