using System.Numerics.Tensors;
using PsyLite.Store;

namespace PsyLite.Tests.Store;

public sealed class VectorFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(384)]
    [InlineData(100)]
    [InlineData(1)]
    public void The_nearest_rows_are_those_of_exact_cosine(int dimensions)
    {
        var random = new Random(4);
        var rows = Enumerable.Range(0, 2000).Select(_ => Random(random, dimensions)).ToArray();
        Write(rows);
        using var file = new VectorFile(_folder["v"], rows.Length);
        var agreed = 0;
        for (var i = 0; i < 20; i++)
        {
            var query = rows[i * 50].Select(v => v + (0.2f * (random.NextSingle() - 0.5f))).ToArray();
            var exact = rows.Select((r, at) => (at, Score: TensorPrimitives.CosineSimilarity(r, query))).OrderByDescending(r => r.Score).Take(3).Select(r => (long)r.at).ToList();
            var found = file.Nearest(query, 3, default);
            Assert.True(dimensions == 1 || found[0].Row == i * 50);
            agreed += found.Count(f => exact.Contains(f.Row));
        }

        Assert.True(dimensions == 1 || agreed >= 45, $"{agreed} of 60");
    }

    [Fact]
    public void A_file_that_is_not_whole_or_of_another_index_is_refused()
    {
        Write([[1, -1, 0.5f], [0, 0, 0]]);
        Assert.Throws<InvalidDataException>(() => new VectorFile(_folder["v"], 3));
        using (var file = new VectorFile(_folder["v"], 2))
        {
            Assert.Equal(2, file.Nearest([1, -1, 0.5f], 5, default).Count);
            Assert.Throws<InvalidDataException>(() => file.Nearest([1f], 5, default));
        }

        var good = File.ReadAllBytes(_folder["v"]);
        var random = new Random(2);
        for (var run = 0; run < 300; run++)
        {
            var bytes = good[..random.Next(good.Length)];
            if (run % 2 == 0)
            {
                bytes = (byte[])good.Clone();
                bytes[random.Next(24)] ^= (byte)random.Next(1, 256);
            }

            File.WriteAllBytes(_folder["w"], bytes);
            try
            {
                using var file = new VectorFile(_folder["w"], 2);
                file.Nearest([1, -1, 0.5f], 5, default);
            }
            catch (InvalidDataException)
            {
                // Refused by name; any other exception fails the test.
            }
        }
    }

    private void Write(float[][] rows)
    {
        using var writer = new VectorFileWriter(_folder["v"], rows[0].Length);
        foreach (var row in rows)
        {
            writer.Add(row);
        }
    }

    private static float[] Random(Random random, int dimensions) => [.. Enumerable.Range(0, dimensions).Select(_ => random.NextSingle() - 0.5f)];
}
