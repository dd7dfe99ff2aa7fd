namespace PsyLite.Training.Sparse;

/// <summary>
/// A matrix of parameters whose rows are stepped by Adam (Kingma and Ba, 2015) only when they have a gradient; the correction of the first steps'
/// bias counts all steps.
/// </summary>
internal sealed class AdamMatrix(int count, int columns)
{
    private const float FirstMoment = 0.9f;
    private const float SecondMoment = 0.999f;
    private const float Least = 1e-8f;
    private readonly float[] _means = new float[count * columns];
    private readonly float[] _squares = new float[count * columns];
    private readonly int[] _places = NoPlaces(count);
    private readonly List<int> _touched = [];
    private float[] _gradients = [];

    public int Count => count;

    public float[] Values { get; } = new float[count * columns];

    public Span<float> Row(int row) => Values.AsSpan(row * columns, columns);

    /// <summary>The row's gradient since the last step, to be added to.</summary>
    public Span<float> Gradient(int row)
    {
        if (_places[row] < 0)
        {
            _places[row] = _touched.Count;
            _touched.Add(row);
            if (_gradients.Length < _touched.Count * columns)
            {
                Array.Resize(ref _gradients, Math.Max(_touched.Count * columns, _gradients.Length * 2));
            }
        }

        return _gradients.AsSpan(_places[row] * columns, columns);
    }

    public void Fill(Func<float> value)
    {
        for (var i = 0; i < Values.Length; i++)
        {
            Values[i] = value();
        }
    }

    /// <param name="number">Which step this is, from 1.</param>
    public void Step(float rate, int number)
    {
        var size = rate * MathF.Sqrt(1 - MathF.Pow(SecondMoment, number)) / (1 - MathF.Pow(FirstMoment, number));
        for (var place = 0; place < _touched.Count; place++)
        {
            var start = _touched[place] * columns;
            for (var i = 0; i < columns; i++)
            {
                var gradient = _gradients[(place * columns) + i];
                var at = start + i;
                _means[at] += (1 - FirstMoment) * (gradient - _means[at]);
                _squares[at] += (1 - SecondMoment) * ((gradient * gradient) - _squares[at]);
                Values[at] -= size * _means[at] / (MathF.Sqrt(_squares[at]) + Least);
            }

            _places[_touched[place]] = -1;
        }

        _gradients.AsSpan(0, _touched.Count * columns).Clear();
        _touched.Clear();
    }

    private static int[] NoPlaces(int count)
    {
        var places = new int[count];
        Array.Fill(places, -1);
        return places;
    }
}
