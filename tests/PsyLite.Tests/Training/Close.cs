namespace PsyLite.Tests.Training;

/// <summary>Comparisons of whole vectors by relative error.</summary>
internal static class Close
{
    /// <summary>|actual - expected| / |expected| in the Euclidean norm.</summary>
    public static double RelativeError(ReadOnlySpan<float> actual, ReadOnlySpan<float> expected)
    {
        Assert.Equal(expected.Length, actual.Length);
        double difference = 0, size = 0;
        for (var i = 0; i < actual.Length; i++)
        {
            difference += Math.Pow((double)actual[i] - expected[i], 2);
            size += Math.Pow(expected[i], 2);
        }

        return Math.Sqrt(difference / Math.Max(size, 1e-60));
    }

    public static void Vectors(ReadOnlySpan<float> actual, ReadOnlySpan<float> expected, double tolerance, string what)
    {
        var error = RelativeError(actual, expected);
        Assert.True(error <= tolerance, $"{what}: relative error {error:E2} > {tolerance:E1}");
    }
}
