using System.CommandLine;

namespace PsyLite.Commands.ModelFiles;

/// <summary>An option that takes one of a few names, in either case, and answers any other with the list of them.</summary>
internal static class ChoiceOption
{
    public static Option<T?> Of<T>(string name, string description, IReadOnlyDictionary<string, T> choices)
        where T : struct => new(name)
        {
            Description = description,
            Arity = ArgumentArity.ExactlyOne,
            HelpName = name.TrimStart('-'),
            CustomParser = result =>
            {
                // The parser asks for a value where the option is not given, too.
                if (result.Tokens is not [{ Value: var text }])
                {
                    return null;
                }

                if (choices.FirstOrDefault(c => c.Key.Equals(text, StringComparison.OrdinalIgnoreCase)) is { Key: not null } choice)
                {
                    return choice.Value;
                }

                result.AddError($"{name} {text}：没有此项，可选 · is none of: {string.Join(" ", choices.Keys)}");
                return null;
            },
        };
}
